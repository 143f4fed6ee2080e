// dialect: codex
const values = [
  ["a", undefined], ["a", () => 1], ["a", Symbol()], ["a", { x: undefined, f() {} }], ["a", NaN], ["a", new Map()], ["a", new Date(0)],
  ["a", { toJSON() { throw 5; } }], ["a", { toJSON: () => undefined }], [Symbol("k"), 1], ["", 1], [undefined, 4],
];
for (const [key, value] of values) {
  try {
    store(key, value);
    text(load(key));
  } catch (error) {
    text(`${typeof error} ${error}`);
  }
}
