// The dialect of Codex: what the files of this folder share.
//
// Each says here what it gives a cell in that dialect. All of it is made when the image is built, apart from what other
// cells find: a VM that begins to speak the dialect exchanges the properties of two objects, and nothing else is touched.
(function (host, kit) {
  "use strict";

  const { create, defineProperty, getOwnPropertyDescriptors, getOwnPropertyNames, getPrototypeOf } = Object;

  // What C takes in place of the prelude's own, and what the files have for each other.
  const codex = {};
  kit.codex = codex;

  const KEPT = new Set(
    (
      "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp " +
      "Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl " +
      "ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array " +
      "Uint8ClampedArray Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy " +
      "Reflect decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN " +
      "SuppressedError DisposableStack AsyncDisposableStack"
    ).split(" "),
  );
  const kept = getOwnPropertyDescriptors(globalThis);
  for (const name of getOwnPropertyNames(kept)) if (!KEPT.has(name)) delete kept[name];

  // What the global object has in that dialect, and the prototype of errors.
  codex.globals = create(getPrototypeOf(globalThis), kept);
  codex.errors = create(getPrototypeOf(Error.prototype), getOwnPropertyDescriptors(Error.prototype));

  // Makes a global, as visible as Codex has its own.
  function become(globals, name, value) {
    defineProperty(globals, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
  }

  codex.give = function give(name, value) {
    become(codex.globals, name, value);
  };

  // Makes a global whose value is made at its first use.
  codex.becomeLazily = function becomeLazily(globals, name, make) {
    defineProperty(globals, name, {
      __proto__: null,
      get() {
        const value = make();
        become(globalThis, name, value);
        return value;
      },
      set(other) {
        become(globalThis, name, other);
      },
      configurable: true,
      enumerable: true,
    });
  };
});
