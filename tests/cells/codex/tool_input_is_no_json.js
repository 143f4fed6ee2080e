// dialect: codex
// Thrown at once, and as a text.
const cycle = {};
cycle.me = cycle;
for (const input of [() => 1, Symbol(), 1n, cycle, { toJSON() { throw 5; } }]) {
  try {
    tools.echo(input);
  } catch (error) {
    text(`${typeof error} ${error.split("\n")[0]}`);
  }
}
