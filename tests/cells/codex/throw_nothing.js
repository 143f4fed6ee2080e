// dialect: codex
throw undefined;
