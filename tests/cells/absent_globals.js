text(['fetch', 'require', 'process', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'Deno', 'Bun', 'std', 'os'].filter((name) => name in globalThis));
