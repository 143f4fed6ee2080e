const params = new URLSearchParams("a=1&b=2&c=3");
for (const [name] of params) {
  text(name);
  params.delete(name);
}
text(String(params));
