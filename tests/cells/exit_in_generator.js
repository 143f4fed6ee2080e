function* steps() { try { yield 1; exit(); } finally { text("finally"); } }
for (const step of steps()) text(step);
text("never");
