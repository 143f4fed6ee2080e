// dialect: codex
for (const value of [undefined, null, 5, {}, () => 1]) {
  try {
    as_settled(value);
  } catch (error) {
    text(error instanceof TypeError);
  }
}
