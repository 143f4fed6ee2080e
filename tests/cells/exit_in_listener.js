const controller = new AbortController();
controller.signal.onabort = () => exit();
try { controller.abort(); } catch { text("caught"); } finally { text("finally"); }
