// dialect: codex
throw { stack: 5, toString: () => "told" };
