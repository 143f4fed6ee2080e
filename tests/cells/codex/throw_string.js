// dialect: codex
throw "a text";
