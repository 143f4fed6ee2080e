// dialect: codex
text(Object.keys(tools));
text(Object.getPrototypeOf(tools) === Object.prototype);
tools.mine = (x) => x + 1;
text(tools.mine(1));
delete tools.echo;
text(typeof tools.echo);
ALL_TOOLS.push(1);
text(ALL_TOOLS);
tools = {};
text(tools);
