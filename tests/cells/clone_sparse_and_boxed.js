const list = [1, , 3];
list.extra = "kept";
const copy = structuredClone(list);
text([copy.length, 1 in copy, copy.extra]);
text([Object(1), Object("s"), Object(true), Object(2n)].map((boxed) => typeof structuredClone(boxed)));
text(structuredClone(Object.create({ inherited: 1 }, { hidden: { value: 1 }, own: { value: 2, enumerable: true } })));
