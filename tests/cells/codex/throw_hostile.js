// dialect: codex
throw { get stack() { throw 1; }, toString() { throw 2; } };
