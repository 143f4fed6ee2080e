text([structuredCloneLike({ a: [1] }), [3, 1, 2].toSorted(), 'aXbX'.replaceAll('X', '-'), Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even')), new Set([1, 2]).union(new Set([3])).size, [1, 2, 3].at(-1), (2n ** 64n).toString()]);
function structuredCloneLike(v) { return JSON.parse(JSON.stringify(v)); }
