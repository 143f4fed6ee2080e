try { await tools.fail({ a: 1 }); } catch (e) { text(e); console.error(e); }
