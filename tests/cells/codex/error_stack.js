// dialect: codex
class Mine extends Error {
  name = "Mine";
}
function f() {
  throw new Mine("why");
}
try {
  f();
} catch (error) {
  text(error.stack);
}
text(new Error().stack);
text([1].map(() => new RangeError("in a callback").stack)[0]);
const changed = new Error("a");
changed.stack = "mine";
text(changed.stack);
