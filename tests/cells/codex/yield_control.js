// dialect: codex
text("a");
text(yield_control());
text("b");
