// dialect: codex
setTimeout(() => text("late"), 10);
text("done");
