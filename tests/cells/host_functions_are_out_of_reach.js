// What reached a host function once: a replaced built-in that hands over objects to be converted, and a stack trace
// that names the functions on it.
const found = [];
Error.prepareStackTrace = (_, sites) => {
  for (const site of sites) found.push(typeof site.getFunction, typeof site.getThis);
  return "";
};
const spy = { toString() { void new Error("here").stack; return "spied"; }, valueOf() { void new Error("here").stack; return 1; } };
RegExp.prototype.exec = () => ({ 0: spy, 1: spy, 2: spy });
RegExp.prototype.test = () => true;
String.prototype.indexOf = () => 3;
String.prototype.slice = () => spy;
Math.trunc = Math.min = () => -5;
const attempts = [
  () => image("data:image/png;base64,AAAA"),
  () => image({ type: "image", data: "AAAA", mimeType: "image/png" }),
  () => setTimeout(() => {}, 5),
  () => text(spy),
  () => text({ toJSON: () => spy }),
  () => store("k", { toJSON: () => "v" }),
  () => notify(Symbol("s")),
];
for (const attempt of attempts) try { attempt(); } catch (e) { console.log(e.name); }
text([...new Set(found)]);
