// The guest's own JSON writer takes plain data; these are its corners.
text(JSON.stringify([0, -0, 1.5, 1e21, -2147483648, NaN, Infinity, true, null, undefined, () => 1, Symbol("s")]));
text(JSON.stringify({ u: undefined, f() {}, [Symbol("s")]: 1, s: Symbol("s"), kept: null }));
text(JSON.stringify('\b\f\n\r\t"\\/\u0000\u001f\u007f\u2028 é ü 😀 \ud800 \udc00x 12345678"'));
text(JSON.stringify({ 'a"b': 1, "ключ": 2, "": 3, "long key of plain text": 4 }));
text(JSON.stringify({ 2: "b", x: "c", 1: "a" }));
const shared = { a: 1 };
text(JSON.stringify([shared, shared]));
class Point { constructor() { this.x = 1; this.y = 2; } get sum() { return 3; } }
text(JSON.stringify([new Point(), Object.create(null), Object.create({ inherited: 1 }), Object.freeze({ a: 1 }), [[], {}, [{}]]]));
const hidden = Object.defineProperty({ a: 1, b: 2 }, "c", { value: 3, enumerable: false });
delete hidden.a;
text(JSON.stringify(hidden));
text(JSON.stringify({ a: [1, { b: [] }], c: {} }, null, 2));
text(JSON.stringify([1, [2]], null, "--"));
text(JSON.stringify("x".repeat(9000) + "y".repeat(600) + '"').length);
