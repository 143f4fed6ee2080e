// A cell that changes what all objects have changes it for itself.
for (const key of ["data", "mimeType", "type", "index", "name2", "cause", "signal", "once", "0"])
  Object.defineProperty(Object.prototype, key, { get() { return "polluted"; }, set() {}, configurable: true });
Array.prototype[Symbol.iterator] = function* () { yield "stolen"; };
Map.prototype.get = Map.prototype.set = () => "stolen";
String.prototype.split = () => ["stolen"];
text(load("kept"));
store("k", { a: 1 });
text(load("k"));
const url = new URL("https://example.com/a?b=c");
text(`${url.pathname} ${url.searchParams.get("b")}`);
console.log("%s!", new Map().size, { a: 1 });
text(await tools.echo("still"));
text(new TextDecoder("latin1").encoding);
