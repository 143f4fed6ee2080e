// A call is where its name stands, whatever calls its arguments hold.
const g = () => 1;
const calls = {
  plain: () => null_(g(),
    g()),
  spread: () => null_(...[g(),
    g()]),
  method: () => ({}).m(g(),
    g()),
  of_new: () => new Proxy(g(),
    g()),
  of_result: () => g()(g()),
  optional: () => ({ a: 1 }).a?.(
    g()),
  tagged: () => ({}).raw`x${g()}`,
};
const null_ = undefined;
for (const name in calls) {
  try {
    calls[name]();
  } catch (error) {
    text(`${name} ${error.message} ${/cell.js:(\d+:\d+)/.exec(error.stack)[1]}`);
  }
}
throw new Error("outer", {
  cause: new Error("inner") });
