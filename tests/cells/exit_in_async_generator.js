async function* steps() { try { yield 1; exit(); } finally { text("finally"); } }
try { for await (const step of steps()) text(step); } catch { text("caught"); }
text("never");
