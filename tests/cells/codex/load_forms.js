// dialect: codex
text(load("nothing"));
text(load("kept"));
text(load());
const value = { a: 1 };
store(5, value);
value.a = 2;
load("5").a = 9;
text(load("5"));
for (const key of [Symbol("s"), { toString() { throw new Error("no"); } }]) {
  try {
    load(key);
  } catch (error) {
    text(error);
  }
}
