let steps = [];
function stop() { try { exit(); } catch { steps.push("caught"); } finally { steps.push("finally"); } }
// ---- next cell ----
steps.push("before");
await tools.echo(1);
stop();
steps.push("after");
// ---- next cell ----
text(steps);
new Promise(() => exit());
text("not reached");
// ---- next cell ----
text(steps);
[3, 1, 2].sort(() => exit());
text("not reached");
// ---- next cell ----
const iterable = { *[Symbol.iterator]() { try { yield 1; yield 2; } finally { text("closed"); } } };
for (const x of iterable) Array.from(iterable, () => exit());
text("not reached");
// ---- next cell ----
Promise.resolve().then(() => exit()).finally(() => text("not reached"));
await tools.later(1);
text("not reached");
// ---- next cell ----
export default { toJSON() { exit(); } };
// ---- next cell ----
text("whole: " + JSON.stringify(steps));
function* numbers() { yield 1; exit(); }
const it = numbers();
it.next();
it.next();
// ---- next cell ----
text(typeof it);
