// Brackets, parentheses and operators have places of their own.
const a = {};
const f = () => {};
const tries = [
  () => a["x"]["y"],
  () => a.x["y"],
  () => a["x"].y.z,
  () => a[0][1][2],
  () => f()()(),
  () => a["b"](),
  () => a["b"](a)(),
  () => new a["b"](a),
  () => new (a["b"])(a),
  () => 1n + 1,
  () => 1 in 1,
  () => `x${Symbol()}`,
  () => [...5],
  () => { const { z } = null; },
  () => { for (const q of 5); },
  () => { a["x"]["y"] = 1; },
];
for (const attempt of tries) {
  try {
    attempt();
  } catch (error) {
    text(`${error.message} ${/cell.js:(\d+:\d+)/.exec(error.stack)?.[1]}`);
  }
}
