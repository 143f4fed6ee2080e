const attempts = [
  () => tools.$describe(),
  () => tools.$describe(tools.echo),
  () => tools.$describe({ 0: "echo", length: 1 }),
  () => tools.$describe([]),
  () => tools.$describe(["echo", 1]),
  () => tools.$describe(Array(101).fill("echo")),
  () => tools.$describe(new Proxy([], { get: (_, key) => (key === "length" ? NaN : "echo") })),
  () => tools.$describe("ordres__list_orders"),
  () => tools.$describe(["echo", "eco"]),
  () => tools.$describe("$search"),
  () => tools.$describe("echo\nfail"),
];
for (const attempt of attempts) try { text(await attempt()); } catch (e) { text(`${e.name}: ${e.message}`); }
