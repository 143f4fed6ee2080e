// dialect: codex
throw { stack: "a stack of its own" };
