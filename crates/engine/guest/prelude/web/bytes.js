// The bytes behind what Web IDL calls a buffer source: an ArrayBuffer or a view of one.
(function (host, kit) {
  "use strict";

  const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { uncurry } = kit;
  const { classOf } = host;
  const Bytes = Uint8Array;

  const getter = (prototype, name) => uncurry(getOwnPropertyDescriptor(prototype, name).get);
  const typed = getPrototypeOf(Uint8Array.prototype);
  const bufferOf = getter(typed, "buffer");
  const offsetOf = getter(typed, "byteOffset");
  const lengthOf = getter(typed, "byteLength");
  const tagOf = getter(typed, Symbol.toStringTag);
  const viewBufferOf = getter(DataView.prototype, "buffer");
  const viewOffsetOf = getter(DataView.prototype, "byteOffset");
  const viewLengthOf = getter(DataView.prototype, "byteLength");
  const isDetached = getter(ArrayBuffer.prototype, "detached");

  // The name of a typed array's class, or undefined.
  kit.typedArrayName = (value) => tagOf(value);

  // Returns a Uint8Array over the bytes, or undefined where there is no buffer source. A detached buffer has none.
  kit.bytesOf = function bytesOf(value) {
    if (typeof value !== "object" || value === null) return undefined;
    const kind = classOf(value);
    if (kind === "ArrayBuffer") return isDetached(value) ? new Bytes(0) : new Bytes(value);
    if (kind === "DataView")
      return isDetached(viewBufferOf(value)) ? new Bytes(0) : new Bytes(viewBufferOf(value), viewOffsetOf(value), viewLengthOf(value));
    if (tagOf(value) === undefined) return undefined;
    return isDetached(bufferOf(value)) ? new Bytes(0) : new Bytes(bufferOf(value), offsetOf(value), lengthOf(value));
  };
});
