for (const key of ["__proto__", "constructor", "toString"]) {
  text(load(key));
}
store("__proto__", { polluted: true });
text([load("__proto__"), {}.polluted]);
