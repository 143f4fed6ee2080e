for (const value of [null, true, 0, -0, 1.5, "", "\ud800", [], {}, [null, [1]], { a: { b: "c" } }, new Date(0)]) {
  store("v", value);
  text(load("v"));
}
