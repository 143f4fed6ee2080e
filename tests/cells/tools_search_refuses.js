const attempts = [
  () => tools.$search(),
  () => tools.$search(null),
  () => tools.$search({ query: "a" }),
  () => tools.$search(" \n"),
  () => tools.$search("x".repeat(1001)),
  () => tools.$search("a", 3),
  () => tools.$search("a", null),
  () => tools.$search("a", { limit: 0 }),
  () => tools.$search("a", { limit: 101 }),
  () => tools.$search("a", { limit: 1.5 }),
  () => tools.$search("a", { limit: "3" }),
  () => tools.$search("a", { top: 3 }),
  () => tools.$search("a", { [Symbol("s")]: 3 }),
  () => tools.$search("a", new Proxy({}, { ownKeys() { throw new Error("mine") } })),
];
for (const attempt of attempts) try { text(await attempt()); } catch (e) { text(`${e.name}: ${e.message}`); }
