text("said");
store("kept", 1);
tools.echo({ n: 1 });
exit();
