// dialect: codex
// The language's own globals, and Codex's, enumerable, in place of Carrel's.
text(Object.getOwnPropertyNames(globalThis).sort().join(" "));
text(Object.keys(globalThis).join(" "));
text(["console", "Atomics", "SharedArrayBuffer", "WebAssembly", "fetch", "queueMicrotask"].map((name) => typeof globalThis[name]).join(" "));
