// dialect: codex
await stream_settled([1, Promise.reject(2)], async (result) => {
  await null;
  text(result);
});
try {
  await stream_settled([1]);
} catch (error) {
  text(`${error}`);
}
