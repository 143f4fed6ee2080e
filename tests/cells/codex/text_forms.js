// dialect: codex
const values = [1, -0, 1.5, NaN, 1e21, true, null, undefined, 10n, "s", "", new Error("e"), new Map([[1, 2]]), new Date(0), () => 1, Symbol("q")];
for (const value of values) text(value);
for (const value of [[1, , 2], { a: undefined }, { toJSON: () => ({ z: 1 }) }, Object(Symbol()), "\ud800x"]) text(value);
text(text());
