// The dialect of Codex: which globals go. The last file of the prelude, as it looks at what all others left.
(function (host, kit) {
  "use strict";

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
  const gone = Object.getOwnPropertyNames(globalThis).filter((name) => !KEPT.has(name));
  // What they are stays: to free it would write to many a page of the image.
  const held = gone.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));

  // Makes the VM speak the dialect. Returns what C calls from then on.
  kit.speakCodex = function speakCodex() {
    for (let i = 0; i < held.length; i++) delete globalThis[gone[i]];
    kit.codex.begin();
    return kit.codex;
  };
});
