// dialect: codex
throw { a: 1 };
