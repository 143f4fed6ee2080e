// dialect: codex
for (const callback of [undefined, null, 1, "code", {}]) {
  try {
    setTimeout(callback);
  } catch (error) {
    text(error);
  }
}
for (const id of [undefined, null, "1", "x", NaN, -1, 1.5, {}, Infinity, true, 1n, Symbol()]) {
  try {
    text(clearTimeout(id));
  } catch (error) {
    text(error);
  }
}
