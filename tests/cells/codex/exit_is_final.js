// dialect: codex
text("before");
try {
  exit();
} catch {
  text("caught");
} finally {
  text("finally");
}
