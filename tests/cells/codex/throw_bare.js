// dialect: codex
throw Object.create(null);
