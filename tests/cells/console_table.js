console.table([{ id: 1, name: "a|b" }, { id: 2, note: "two\nlines" }]);
console.table([{ id: 1, name: "x" }], ["name"]);
console.table({ first: { n: 1 }, second: 5 });
console.table(new Map([["row", [1, 2]]]));
console.table("no table");
try { console.table([], 5); } catch (error) { text(String(error)); }
