// How `console` and outcomes show a value: as JSON where it is JSON, and for what is not, in what a model reads as the
// same language: `{"when":2026-01-01T00:00:00.000Z,"seen":Set(2) {1,2},"f":[Function f],"self":[Circular]}`.
(function (host, kit) {
  "use strict";

  const { classOf } = host;
  const { uncurry } = kit;
  const { stringify } = JSON;
  const { getOwnPropertyDescriptor, getPrototypeOf, is, prototype: objectPrototype } = Object;
  const { ownKeys } = Reflect;
  const { isArray } = Array;
  const toText = String;
  const objectToString = uncurry(objectPrototype.toString);
  const functionToString = uncurry(Function.prototype.toString);
  const isEnumerable = uncurry(objectPrototype.propertyIsEnumerable);
  const hasOwn = uncurry(objectPrototype.hasOwnProperty);
  const startsWith = uncurry(String.prototype.startsWith);
  const trimEnd = uncurry(String.prototype.trimEnd);
  const replaceAll = uncurry(String.prototype.replaceAll);
  const mapEach = uncurry(Map.prototype.forEach);
  const mapSize = uncurry(getOwnPropertyDescriptor(Map.prototype, "size").get);
  const setEach = uncurry(Set.prototype.forEach);
  const setSize = uncurry(getOwnPropertyDescriptor(Set.prototype, "size").get);
  const toISO = uncurry(Date.prototype.toISOString);
  const regExpToString = uncurry(RegExp.prototype.toString);
  const bufferLength = uncurry(getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get);
  const boxed = {
    __proto__: null,
    Number: uncurry(Number.prototype.valueOf),
    String: uncurry(String.prototype.valueOf),
    Boolean: uncurry(Boolean.prototype.valueOf),
    BigInt: uncurry(BigInt.prototype.valueOf),
    Symbol: uncurry(Symbol.prototype.valueOf),
  };

  const DEEPEST = 100;
  const MOST_NUMBERS = 100;

  function primitive(value) {
    switch (typeof value) {
      case "string":
        return stringify(value);
      case "bigint":
        return `${value}n`;
      case "number":
        return is(value, -0) ? "-0" : `${value}`;
      default:
        return toText(value);
    }
  }

  // The name of an object's class, found without running its code; "" for a plain object.
  function className(object) {
    for (let at = getPrototypeOf(object); at !== null; at = getPrototypeOf(at)) {
      if (at === objectPrototype) return "";
      const made = getOwnPropertyDescriptor(at, "constructor")?.value;
      if (typeof made === "function") {
        const name = getOwnPropertyDescriptor(made, "name")?.value;
        if (typeof name === "string" && name !== "") return name;
      }
    }
    return "";
  }

  function functionShown(value) {
    const name = getOwnPropertyDescriptor(value, "name")?.value;
    const shownName = typeof name === "string" && name !== "" ? ` ${name}` : "";
    return startsWith(functionToString(value), "class") ? `[class${shownName}]` : `[Function${shownName}]`;
  }

  // The parents of a value, from the outermost, hold it off from showing itself again.
  function isWithin(value, parents) {
    for (let i = 0; i < parents.length; i++) if (parents[i] === value) return true;
    return false;
  }

  function write(value, parents) {
    if (typeof value === "function") return functionShown(value);
    if (typeof value !== "object" || value === null) return primitive(value);
    if (isWithin(value, parents)) return "[Circular]";
    const kind = classOf(value);
    if (parents.length >= DEEPEST) return isArray(value) ? "[Array]" : "[Object]";
    parents[parents.length] = value;
    try {
      return object(value, kind, parents);
    } finally {
      parents.length--;
    }
  }

  function object(value, kind, parents) {
    switch (kind) {
      case "Array":
        return items(value, parents);
      case "Proxy":
        return isArray(value) ? items(value, parents) : typeof value === "function" ? "[Function]" : withName(value, "", parents);
      case "Object":
        if (kit.isUrl?.(value)) return `URL ${stringify(kit.hrefOf(value))}`;
        if (kit.isSearchParams?.(value)) return `URLSearchParams ${write(kit.pairsOf(value), parents)}`;
        return withName(value, className(value), parents);
      case "Date":
        try {
          return toISO(value);
        } catch {
          return "Invalid Date";
        }
      case "RegExp":
        return regExpToString(value);
      case "Map": {
        let out = "";
        mapEach(value, (inner, key) => (out += `${out && ","}${write(key, parents)} => ${write(inner, parents)}`));
        return `${className(value) || kind}(${mapSize(value)}) {${out}}`;
      }
      case "Set": {
        let out = "";
        setEach(value, (member) => (out += `${out && ","}${write(member, parents)}`));
        return `${className(value) || kind}(${setSize(value)}) {${out}}`;
      }
      case "Error":
      case "DOMException":
        return `[${headOf(value)}${ownOf(value, parents)}]`;
      case "Number":
      case "String":
      case "Boolean":
      case "BigInt":
      case "Symbol":
        return `[${kind} ${primitive(boxed[kind](value))}]`;
      case "ArrayBuffer":
        return `ArrayBuffer(${bufferLength(value)})`;
      case "Arguments":
        return items(value, parents);
      default:
        return kit.typedArrayName(value) !== undefined ? numbers(value) : `[${className(value) || kind}]`;
    }
  }

  function items(list, parents) {
    const { length } = list;
    let out = "";
    for (let i = 0; i < length; i++) {
      if (i) out += ",";
      if (hasOwn(list, i)) out += read(list, i, parents);
      else {
        const from = i;
        while (i + 1 < length && !hasOwn(list, i + 1)) i++;
        out += `<${i - from + 1} empty>`;
      }
    }
    return `[${out}]`;
  }

  function numbers(array) {
    const shownItems = array.length < MOST_NUMBERS ? array.length : MOST_NUMBERS;
    let out = "";
    for (let i = 0; i < shownItems; i++) out += `${i ? "," : ""}${primitive(array[i])}`;
    const more = array.length > shownItems ? `,… ${array.length - shownItems} more` : "";
    return `${kit.typedArrayName(array)}(${array.length}) [${out}${more}]`;
  }

  function withName(value, name, parents) {
    const out = members(value, parents, "");
    return name === "" ? `{${out}}` : `${name} {${out}}`;
  }

  // The enumerable members of an object, but for those of the names in `without`, each between commas.
  function members(value, parents, without) {
    const keys = ownKeys(value);
    let out = "";
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (!isEnumerable(value, key) || (without !== "" && typeof key === "string" && kit.apply(includes, without, [`,${key},`]))) continue;
      out += `${out && ","}${typeof key === "symbol" ? `[${toText(key)}]` : stringify(key)}:${read(value, key, parents)}`;
    }
    return out;
  }
  const { includes } = String.prototype;

  // A getter may throw; what is around it is shown nevertheless.
  function read(value, key, parents) {
    let inner;
    try {
      inner = value[key];
    } catch (error) {
      return `[threw ${headOf(error)}]`;
    }
    return write(inner, parents);
  }

  // What an error is, in one line.
  function headOf(error) {
    if (typeof error !== "object" || error === null) return primitive(error);
    try {
      return kit.apply(errorToString, error, []);
    } catch {
      return objectToString(error);
    }
  }
  const { toString: errorToString } = Error.prototype;

  function ownOf(error, parents) {
    const own = members(error, parents, ",message,name,stack,cause,errors,");
    return own === "" ? "" : ` {${own}}`;
  }

  // An error in full: what it is, where, what was added to it, and why.
  function errorShown(error, parents) {
    if (isWithin(error, parents)) return "[Circular]";
    parents[parents.length] = error;
    let out = headOf(error);
    const stack = valueOf(error, "stack");
    if (typeof stack === "string" && stack !== "") out += `\n${trimEnd(stack)}`;
    const own = ownOf(error, parents);
    if (own !== "") out += `\n ${own}`;
    const errors = valueOf(error, "errors");
    if (isArray(errors))
      for (let i = 0; i < errors.length; i++) out += `\n  error ${i + 1}: ${indented(anyShown(errors[i], parents))}`;
    if (hasOwn(error, "cause")) out += `\n  cause: ${indented(anyShown(valueOf(error, "cause"), parents))}`;
    parents.length--;
    return out;
  }

  const indented = (text) => replaceAll(text, "\n", "\n  ");

  function valueOf(error, key) {
    try {
      return error[key];
    } catch {
      return undefined;
    }
  }

  const isError = (value) => {
    if (typeof value !== "object" || value === null) return false;
    const kind = classOf(value);
    return kind === "Error" || kind === "DOMException";
  };

  const anyShown = (value, parents) => (isError(value) ? errorShown(value, parents) : write(value, parents));

  // Never throws, but where the stack or memory is out.
  kit.inspect = function inspect(value) {
    try {
      return anyShown(value, []);
    } catch {
      return objectToString(value);
    }
  };

  // Like it, with a string as it is.
  kit.shown = (value) => (typeof value === "string" ? value : kit.inspect(value));
});
