// dialect: codex
// Codex has no limit. Here it is a text like the others.
try {
  store("big", "x".repeat(2000));
} catch (error) {
  text(`${typeof error} ${error}`);
}
