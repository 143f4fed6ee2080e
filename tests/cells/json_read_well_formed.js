// The guest's own JSON reader takes well-formed text; these are its corners.
const show = (value) => JSON.stringify(value) + (Object.is(value, -0) ? " (-0)" : "");
for (const json of ["-0", "0", "2147483648", "123456789012345678", "0.1", "1e22", "1e23", "5e-324", "1e400", "-1.5E+3", " [ ] ", "{\n}\t", '""'])
  text(`${json.trim()} ${show(JSON.parse(json))} ${Object.is(JSON.parse(json), json.includes('"') || /[[{]/.test(json) ? undefined : Number(json))}`);
text(JSON.parse('"\\u0041\\ud83d\\ude00\\/\\b\\n é 😀 12345678 \\" end"'));
// The last of equal keys counts, and stands where the first stood; indices come first; __proto__ is a key.
text(Object.entries(JSON.parse('{"b":1,"a":2,"b":3,"1":4,"0":5}')));
const odd = JSON.parse('{"__proto__":{"x":1},"a\\"b":2,"ключ":3,"":4}');
text([Reflect.ownKeys(odd).join("|"), Object.getPrototypeOf(odd) === Object.prototype, odd.x, odd["ключ"]]);
// Rows share keys, until they do not.
const rows = JSON.parse('[{"a":1,"b":2},{"a":3,"b":4},{"a":5},{"b":6,"a":7},{"a":8,"b":9,"c":10},{"a":11,"b":12},{}]');
rows[1].d = 13;
delete rows[0].a;
text(rows);
text(JSON.parse("[".repeat(500) + "]".repeat(500)).flat(Infinity).length);
