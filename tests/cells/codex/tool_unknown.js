// dialect: codex
tools.nope({});
