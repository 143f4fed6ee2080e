const tries = {
  relative: () => new URL("/path"),
  base: () => new URL("/path", "nowhere"),
  port: () => new URL("http://example.com:99999"),
  host: () => new URL("http://exa mple.com"),
  none: () => new URL(),
  long: () => new URL("https://example.com/" + "a".repeat(200000)),
};
for (const name in tries) {
  try { tries[name](); } catch (error) { text(`${name}: ${error.name} ${error.message}`); }
}
text([URL.canParse("/path"), URL.canParse("/path", "http://a"), URL.parse("/path"), URL.parse("x", "http://a/b/").href]);
