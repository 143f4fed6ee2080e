// dialect: codex
try {
  await import("fs");
} catch (error) {
  text(`${typeof error} ${error}`);
}
await import("fs");
