// dialect: codex
let count = 1;
store("a", count);
text(new Error("first").stack);
// ---- next cell ----
text(count + 1);
text(load("a"));
text(typeof console);
text(new Error("second").stack);
text(await tools.echo(3));
