console.log({ when: new Date(0), seen: new Set([1, "a"]), by: new Map([["k", { v: [1] }]]), pattern: /x/g });
console.log([undefined, null, NaN, -0, 5n, Symbol("s"), () => 1, function named() {}, class Shape {}]);
class Point { x = 1; #hidden = 2; }
console.log(new Point(), Object.create(null), [1, , , 4], new Uint8Array([1, 2]), new ArrayBuffer(3), Promise.resolve(), Object("s"));
console.log(new Uint8Array(150).length, new Float64Array(101).fill(0.5));
const cycle = { list: [] };
cycle.list.push(cycle);
console.log(cycle, { [Symbol("key")]: 1 }, { get bad() { throw new Error("no"); } });
console.log(new URL("https://example.com/?q=1"), new URLSearchParams("a=1"), new WeakMap(), globalThis.tools.echo);
