// `structuredClone()`: the algorithm of the HTML standard, over a copy in the same VM.
(function (host, kit) {
  "use strict";

  const { classOf } = host;
  const { uncurry, typedArrayName, bytesOf } = kit;
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, keys, prototype: objectPrototype } = Object;
  const toObject = Object;
  const toText = String;
  const getter = (prototype, name) => uncurry(getOwnPropertyDescriptor(prototype, name).get);
  const hasOwn = uncurry(objectPrototype.hasOwnProperty);

  const Memory = Map;
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);
  const mapEach = uncurry(Map.prototype.forEach);
  const NewSet = Set;
  const setHas = uncurry(Set.prototype.has);
  const setAdd = uncurry(Set.prototype.add);
  const setEach = uncurry(Set.prototype.forEach);

  const NewDate = Date;
  const timeOf = uncurry(Date.prototype.getTime);
  const NewRegExp = RegExp;
  const sourceOf = getter(RegExp.prototype, "source");
  const flagsOf = getter(RegExp.prototype, "flags");
  const valueOf = {
    Number: uncurry(Number.prototype.valueOf),
    String: uncurry(String.prototype.valueOf),
    Boolean: uncurry(Boolean.prototype.valueOf),
    BigInt: uncurry(BigInt.prototype.valueOf),
  };

  const Buffer = ArrayBuffer;
  const bufferLength = getter(Buffer.prototype, "byteLength");
  const bufferMaximum = getter(Buffer.prototype, "maxByteLength");
  const isResizable = getter(Buffer.prototype, "resizable");
  const isDetached = getter(Buffer.prototype, "detached");
  const transferred = uncurry(Buffer.prototype.transfer);
  const Bytes = Uint8Array;
  const setBytes = uncurry(Bytes.prototype.set);
  const typed = getPrototypeOf(Bytes.prototype);
  const arrayBuffer = getter(typed, "buffer");
  const arrayOffset = getter(typed, "byteOffset");
  const arrayLength = getter(typed, "length");
  const View = DataView;
  const viewBuffer = getter(View.prototype, "buffer");
  const viewOffset = getter(View.prototype, "byteOffset");
  const viewLength = getter(View.prototype, "byteLength");
  const typedArrays = { __proto__: null };
  for (const name of ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64", "Float16", "Float32", "Float64"])
    typedArrays[`${name}Array`] = globalThis[`${name}Array`];

  const errors = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const exceptionName = getter(DOMException.prototype, "name");
  const exceptionMessage = getter(DOMException.prototype, "message");

  // `at` is the key under which the value was found.
  function refuse(what, at) {
    const place = at === undefined ? "" : `, as its ${kit.quoted(toText(at))} is`;
    throw kit.domException(`structuredClone(value): ${what} cannot be cloned${place}`, "DataCloneError");
  }

  const KINDS = { Arguments: "an arguments object", Proxy: "a Proxy", Promise: "a Promise", WeakMap: "a WeakMap", WeakSet: "a WeakSet", Symbol: "a Symbol object" };

  // `memory` maps what was seen to its copy, so that what was one stays one.
  function clone(value, memory, at) {
    if (typeof value === "symbol") return refuse("a symbol", at);
    if (typeof value === "function") return refuse("a function", at);
    if (typeof value !== "object" || value === null) return value;
    const before = mapGet(memory, value);
    if (before !== undefined) return before;
    const kind = classOf(value);
    const remember = (copy) => {
      mapSet(memory, value, copy);
      return copy;
    };
    switch (kind) {
      case "Object":
        if (kit.isPlatform(value)) return refuse(`a ${value.constructor?.name ?? "platform object"}`, at);
        return properties(value, remember({}), memory);
      case "Array": {
        const copy = remember([]);
        copy.length = value.length;
        return properties(value, copy, memory);
      }
      case "Number":
      case "String":
      case "Boolean":
      case "BigInt":
        return remember(toObject(valueOf[kind](value)));
      case "Date":
        return remember(new NewDate(timeOf(value)));
      case "RegExp":
        return remember(new NewRegExp(sourceOf(value), flagsOf(value)));
      case "Map": {
        const copy = remember(new Memory());
        const entries = [];
        mapEach(value, (inner, key) => (entries[entries.length] = [key, inner]));
        for (let i = 0; i < entries.length; i++) mapSet(copy, clone(entries[i][0], memory), clone(entries[i][1], memory, entries[i][0]));
        return copy;
      }
      case "Set": {
        const copy = remember(new NewSet());
        const members = [];
        setEach(value, (member) => (members[members.length] = member));
        for (let i = 0; i < members.length; i++) setAdd(copy, clone(members[i], memory));
        return copy;
      }
      case "Error":
        return error(value, remember, memory);
      case "DOMException":
        return remember(kit.domException(exceptionMessage(value), exceptionName(value)));
      case "ArrayBuffer":
        return remember(buffer(value, at));
      case "DataView": {
        const length = viewLength(value); // throws where the buffer has become too short
        return remember(new View(clone(viewBuffer(value), memory, at), viewOffset(value), length));
      }
      default: {
        const name = typedArrayName(value);
        if (name !== undefined) {
          const length = arrayLength(value);
          return remember(new typedArrays[name](clone(arrayBuffer(value), memory, at), arrayOffset(value), length));
        }
        return refuse(KINDS[kind] ?? `a ${kind}`, at);
      }
    }
  }

  function properties(value, copy, memory) {
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      // A getter may have removed it.
      if (!hasOwn(value, name)) continue;
      defineProperty(copy, name, { value: clone(value[name], memory, name), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  }

  function error(value, remember, memory) {
    const name = toText(value.name);
    const message = getOwnPropertyDescriptor(value, "message");
    const copy = remember(new (errors[name] ?? Error)());
    const add = (key, inner) => defineProperty(copy, key, { value: inner, writable: true, configurable: true });
    if (message !== undefined && "value" in message) add("message", toText(message.value));
    const { stack } = value;
    add("stack", typeof stack === "string" ? stack : "");
    const cause = getOwnPropertyDescriptor(value, "cause");
    if (cause !== undefined && "value" in cause) add("cause", clone(cause.value, memory, "cause"));
    return copy;
  }

  function buffer(value, at) {
    if (isDetached(value)) return refuse("a detached ArrayBuffer", at);
    const length = bufferLength(value);
    const copy = isResizable(value) ? new Buffer(length, { maxByteLength: bufferMaximum(value) }) : new Buffer(length);
    setBytes(new Bytes(copy), bytesOf(value));
    return copy;
  }

  // Checks what is to be handed over instead of copied.
  function transferList(options) {
    const { transfer } = kit.options("structuredClone(value, options)", options);
    const list = [];
    if (transfer === undefined) return list;
    const seen = new NewSet();
    for (const item of transfer) {
      const isBuffer = typeof item === "object" && item !== null && classOf(item) === "ArrayBuffer";
      const wrong = !isBuffer ? "holds what is no ArrayBuffer" : setHas(seen, item) ? "holds an ArrayBuffer twice" : isDetached(item) ? "holds a detached ArrayBuffer" : undefined;
      if (wrong !== undefined) throw kit.domException(`structuredClone(value, {transfer}): transfer ${wrong}`, "DataCloneError");
      setAdd(seen, item);
      list[list.length] = item;
    }
    return list;
  }

  kit.define("structuredClone", function structuredClone(value, options = undefined) {
    kit.need("structuredClone(value, options)", arguments.length, 1);
    const list = transferList(options);
    const memory = new Memory();
    const copies = [];
    for (let i = 0; i < list.length; i++) {
      copies[i] = buffer(list[i]);
      mapSet(memory, list[i], copies[i]);
    }
    const copy = clone(value, memory);
    // Nothing is handed over unless all could be cloned. A getter may have written meanwhile.
    for (let i = 0; i < list.length; i++) {
      if (isDetached(list[i])) continue;
      setBytes(new Bytes(copies[i]), bytesOf(list[i]));
      transferred(list[i], 0);
    }
    return copy;
  });
});
