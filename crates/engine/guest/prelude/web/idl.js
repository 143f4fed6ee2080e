// What the files of this folder share: arguments and classes as Web IDL has them.
(function (host, kit) {
  "use strict";

  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const { ownKeys } = Reflect;
  const { bind, call } = Function.prototype;
  const { toWellFormed } = String.prototype;
  const { stringify } = JSON;
  const toText = String;
  const LONGEST_QUOTED = 100;

  // Makes a function of `this` and arguments of a method. A cell that replaces the method does not change it.
  const uncurry = (kit.uncurry = bind.bind(call));

  const slice = uncurry(String.prototype.slice);
  const wellFormed = uncurry(toWellFormed);

  kit.need = function need(what, given, wanted) {
    if (given < wanted)
      throw new TypeError(`${what}: ${wanted} argument${wanted > 1 ? "s are" : " is"} required, but ${given ? `only ${given}` : "none"} was given`);
  };

  // Text as Web IDL's USVString: half a surrogate pair becomes U+FFFD.
  kit.usv = (value) => wellFormed(toText(value));

  // The options of a call: an object or nothing.
  kit.options = function options(what, value) {
    if (value === undefined || value === null) return {};
    if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${what}: options must be an object`);
    return value;
  };

  // Tells of an object whether it is one of the platform's, which no copy can be made of.
  const brands = [];
  kit.isPlatform = function isPlatform(object) {
    for (let i = 0; i < brands.length; i++) if (brands[i](object)) return true;
    return false;
  };

  function showMembers(object) {
    const keys = ownKeys(object);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const property = getOwnPropertyDescriptor(object, key);
      const isMember = typeof key === "string" && key !== "constructor" && (property.get !== undefined || typeof property.value === "function");
      if (isMember && property.configurable) defineProperty(object, key, { enumerable: true });
    }
  }

  // Finishes a class as Web IDL has it: its members are enumerable, and it has a tag. `isOne` tells its instances.
  kit.webClass = function webClass(Class, isOne) {
    const { prototype } = Class;
    showMembers(prototype);
    showMembers(Class);
    defineProperty(prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    if (isOne !== undefined) brands[brands.length] = isOne;
    return Class;
  };

  // A value in a message: quoted, and not longer than a reader wants.
  kit.quoted = (text) => stringify(text.length > LONGEST_QUOTED ? slice(text, 0, LONGEST_QUOTED) + "…" : text);

  const Exception = DOMException;
  kit.domException = (message, name) => new Exception(message, name);

  // What is made at its first use, once.
  kit.once = function once(make) {
    let made;
    return () => (made ??= make());
  };
});
