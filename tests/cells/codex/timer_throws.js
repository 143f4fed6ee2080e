// dialect: codex
store("a", 1);
setTimeout(() => { throw new Error("in a timer"); }, 0);
await new Promise((done) => setTimeout(done, 50));
text("never");
