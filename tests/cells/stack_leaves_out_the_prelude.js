// A stack trace shows the cell's frames and the language's, not those of what a cell is given.
function inside() {
  const cycle = [];
  cycle.push(cycle);
  text(cycle);
}
try {
  inside();
} catch (error) {
  text(error.stack);
}
try {
  store("", 1);
} catch (error) {
  text(error.stack);
}
