const order = { get total() { exit(); } };
try { text(JSON.stringify(order)); } catch { text("caught"); } finally { text("finally"); }
