// dialect: codex
for (const value of ["", "  ", "\n", "x", 5, { a: 1 }, undefined, null, () => 1]) {
  try {
    text(notify(value));
  } catch (error) {
    text(error);
  }
}
