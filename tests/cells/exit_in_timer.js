setTimeout(() => { try { exit(); } finally { text("finally"); } }, 5);
setTimeout(() => text("never"), 10);
await new Promise(() => {});
