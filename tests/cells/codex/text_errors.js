// dialect: codex
// What JSON cannot hold is thrown as a text.
const cycle = {};
cycle.me = cycle;
const values = [cycle, { a: 1n }, { toJSON() { throw new TypeError("from toJSON"); } }, { toJSON() { throw 7; } }, { toJSON() { throw { a: 1 }; } }];
for (const value of values) {
  try {
    text(value);
  } catch (error) {
    text(`${typeof error} ${error.split("\n")[0]}`);
  }
}
