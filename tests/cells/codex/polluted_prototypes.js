// dialect: codex
// A cell that gives all objects a `get`, and all arrays a setter for their first element, finds the same as others.
Object.defineProperty(Object.prototype, "get", { value: () => "mine", configurable: true });
Object.defineProperty(Array.prototype, "0", { set() {}, configurable: true });
text(typeof tools.echo + " " + ALL_TOOLS.length);
text(await tools.echo(1));
await tools.fail().catch((why) => text(why));
tools = 1;
text(tools);
