for (const name of ["URL", "URLSearchParams", "TextEncoder", "TextDecoder", "AbortController", "AbortSignal", "Event", "EventTarget", "DOMException"]) {
  const value = globalThis[name];
  const { enumerable, writable, configurable, get } = Object.getOwnPropertyDescriptor(globalThis, name);
  text([name, value.name, value.length, value.prototype[Symbol.toStringTag], enumerable, writable, configurable, get === undefined]);
}
text([crypto, console].map(String));
text(["structuredClone", "queueMicrotask", "atob", "btoa", "setTimeout", "text", "store"].map((name) => `${globalThis[name].name} ${globalThis[name].length}`));
text(Object.keys(globalThis));
