const proxy = new Proxy({}, { get() { exit(); }, has() { exit(); } });
try { "a" in proxy; } catch { text("caught"); } finally { text("finally"); }
