// dialect: codex
Promise.reject(new Error("nobody listens"));
tools.fail();
text("done");
