// toLocaleString of arrays and typed arrays hands locale and options to each element.
text([1234.5, null, undefined, "x", [5678]].toLocaleString("de-DE"));
text([1, 2].toLocaleString("en-US", { style: "currency", currency: "EUR" }));
text(new Float64Array([1234.5, 0.1]).toLocaleString("fr-FR"));
text(new BigInt64Array([123456n]).toLocaleString());
text([{ toLocaleString: (...given) => given.join("+") }].toLocaleString("a", "b"));
const inside = [1];
inside.push(inside);
text(inside.toLocaleString());
