// What the guest's own JSON writer gives up on is written as the language has it.
text(JSON.stringify([new Date(0), new Map([[1, 2]]), Object(1n) instanceof BigInt, Object("s"), Object(true), new Error("e"), /x/, new Uint8Array(2)]));
text(JSON.stringify([1, , 3]));
text(JSON.stringify(Object.assign([1], { key: 2 })));
text(JSON.stringify({ get a() { return 1; }, b: new Proxy({ c: [2] }, {}), d: new Proxy([3], {}) }));
const calls = [];
text(JSON.stringify({ plain: [1], last: { toJSON(key) { calls.push(key); return { key }; } } }));
text(calls);
text(JSON.stringify([Object.create({ toJSON: () => "inherited" }), Object.assign([], { toJSON: () => "own" })]));
Array.prototype.toJSON = function () { return this.length; };
text(JSON.stringify({ a: [1, 2, 3] }));
delete Array.prototype.toJSON;
text(JSON.stringify({ a: 1, b: [1, { a: 2, c: 3 }] }, ["a", "b"]));
text(JSON.stringify([1, 2], (key, value) => (key === "0" ? 5 : value)));
const loop = { a: [1] };
loop.a.push({ loop });
for (const bad of [loop, [1n], { get a() { throw new RangeError("thrown") } }]) {
  try {
    text(JSON.stringify(bad));
  } catch (error) {
    text(`${error.name}: ${error.message}`);
  }
}
