// dialect: codex
throw null;
