const original = { list: [1, { deep: true }], when: new Date(0), pattern: /a+/gi, big: 10n };
const copy = structuredClone(original);
copy.list[1].deep = false;
text([original.list[1].deep, copy.when instanceof Date, copy.when.getTime(), String(copy.pattern), String(copy.big)]);
