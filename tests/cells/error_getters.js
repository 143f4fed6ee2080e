class Odd extends Error { get message() { return 'computed'; } get name() { return 'OddError'; } }
throw new Odd();
