// dialect: codex
// A cell that replaces what there is harms itself alone.
JSON.stringify = () => "replaced";
String.prototype.slice = Array.prototype.push = Promise.prototype.then = () => { throw new Error("replaced"); };
Map.prototype.get = Object.defineProperty = undefined;
text({ a: 1 });
store("a", [1]);
text(load("a"));
image("data:image/png;base64,AA");
text(new Error("x").stack);
