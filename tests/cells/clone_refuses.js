const values = {
  function: { onClick() {} },
  symbol: [Symbol("s")],
  proxy: new Proxy({}, {}),
  promise: Promise.resolve(),
  weak: new WeakMap(),
  platform: new URL("https://example.com"),
  nothing: undefined,
};
for (const name in values) {
  try {
    text(`${name}: ${structuredClone(values[name])}`);
  } catch (error) {
    text(`${name}: ${error.name} ${error.code} ${error.message}`);
  }
}
try { structuredClone(); } catch (error) { text(String(error)); }
