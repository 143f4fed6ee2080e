// dialect: codex
class Odd extends Error {
  get name() { throw 1; }
  get message() { throw 2; }
}
throw new Odd();
