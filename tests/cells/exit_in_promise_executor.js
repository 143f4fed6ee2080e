try { await new Promise(() => exit()).catch(() => text("caught")); } finally { text("finally"); }
