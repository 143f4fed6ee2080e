class Custom extends RangeError { name = "Custom"; code = 5; }
const copy = structuredClone(new TypeError("wrong", { cause: { id: 7 } }));
text([copy instanceof TypeError, copy.name, copy.message, copy.cause, copy.stack.includes("cell.js:2:30")]);
const custom = structuredClone(new Custom("mine"));
text([custom.constructor.name, custom.message, custom.code]);
text(structuredClone(new DOMException("gone", "AbortError")).name);
