queueMicrotask(() => { try { exit(); } finally { text("finally"); } });
queueMicrotask(() => text("never"));
await null;
text("never");
