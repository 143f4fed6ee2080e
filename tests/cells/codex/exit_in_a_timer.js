// dialect: codex
setTimeout(() => exit(), 1);
await new Promise(() => {});
