// dialect: codex
text(typeof this);
text(import.meta);
export default { get a() { throw 1; } };
