try { text({ toJSON() { exit(); } }); } catch { text("caught"); } finally { text("finally"); }
