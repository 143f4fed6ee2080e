const counter = (() => { let n = 0; return () => ++n; })();
function* ids() { let i = 0; while (true) yield `id-${i++}`; }
const gen = ids();
text([counter(), gen.next().value]);
// ---- next cell ----
text([counter(), gen.next().value]);
const cache = new Map([["a", { deep: [1] }]]);
// ---- next cell ----
cache.get("a").deep.push(2);
text([counter(), gen.next().value, [...cache]]);
