const shared = {};
const original = { first: shared, second: shared, map: new Map() };
original.self = original;
original.map.set(original, new Set([original.map]));
const copy = structuredClone(original);
text([copy.self === copy, copy.first === copy.second, copy.first !== shared, copy.map.get(copy).has(copy.map)]);
