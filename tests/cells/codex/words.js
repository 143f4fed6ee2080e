// dialect: codex
// The errors that a model meets most often, in V8's words.
const o = { a: {}, n: 5 };
const attempts = [
  () => tools.nope({}),
  () => o.a.b(),
  () => o.a.b.c,
  () => o.a?.b(),
  () => o.n(),
  () => [o][0].x(),
  () => (() => o)().x(),
  () => {
    const größe = 1;
    größe();
  },
  () => { "🙂"; o.f(); },
  () => (void 0)(),
  () => null.x,
  () => undefined["x"],
  () => (null.x = 1),
  () => later + 1,
  () => missing,
  () => JSON.stringify(1n),
  () => [1].map(5),
  () => class { #p; static t() { ({}).x.#p; } }.t(),
];
for (const attempt of attempts) {
  try {
    attempt();
  } catch (error) {
    text(`${error}`);
  }
}
let later = 1;
