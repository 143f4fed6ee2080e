// dialect: codex
try {
  await tools.fail({ a: 1 });
} catch (error) {
  text(`${typeof error} ${error}`);
}
await tools.fail();
