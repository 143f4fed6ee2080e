// dialect: codex
text({ get a() { exit(); } });
text("never");
