try { [2, 1, 3].sort(() => exit()); } catch { text("caught"); } finally { text("finally"); }
