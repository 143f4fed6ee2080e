// The dialect of Codex: how a thrown value is told, and the stack of an error.
(function (host, kit) {
  "use strict";

  const { codex, apply } = kit;
  const { stringify } = JSON;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const { indexOf, slice, endsWith, startsWith, toWellFormed } = String.prototype;
  const toText = String;
  const { get: framesOf, set: setStack } = getOwnPropertyDescriptor(Error.prototype, "stack");

  // Returns what `read` does; undefined where the cell's own code fails in it.
  function attempt(read) {
    try {
      return read();
    } catch {
      return undefined;
    }
  }

  // Tells a thrown value as one text: its stack where it has one, else the value. Never throws.
  function errorText(reason) {
    const isObject = (typeof reason === "object" && reason !== null) || typeof reason === "function";
    if (isObject) {
      const stack = attempt(() => reason.stack);
      if (typeof stack === "string") return stack;
    }
    const text = attempt(() => toText(reason));
    return text === undefined ? "[object Object]" : text;
  }
  codex.errorText = errorText;

  // Does something in which code of the cell's may fail, of which Codex throws the text alone.
  codex.orText = function orText(work) {
    try {
      return work();
    } catch (error) {
      throw errorText(error);
    }
  };

  // Describes a value that the cell `file` threw, for the outcome: the text is all of it.
  codex.describe = function describe(reason, file) {
    const message = errorText(reason);
    return stringify({ __proto__: null, name: "", message: apply(toWellFormed, message, []), stack: message, file });
  };

  // What a failed call rejects with.
  codex.toolError = function toolError({ message }) {
    return message;
  };

  const AT = "    at ";
  const NAMELESS = "<anonymous> (";
  const NATIVE = " (native)";

  // A frame as V8 writes it, which names no function that has no name.
  function frame(line) {
    if (!apply(startsWith, line, [AT])) return line;
    const rest = apply(slice, line, [AT.length]);
    if (apply(startsWith, rest, [NAMELESS])) return AT + apply(slice, rest, [NAMELESS.length, -1]);
    if (apply(endsWith, rest, [NATIVE])) return `${AT}${apply(slice, rest, [0, -NATIVE.length])} (<anonymous>)`;
    return line;
  }

  // An error's stack as V8 has it, which begins with what the error says.
  function stackOf(error) {
    const frames = apply(framesOf, error, []);
    if (typeof frames !== "string") return frames;
    const name = attempt(() => toText(error.name)) ?? "Error";
    const message = attempt(() => toText(error.message)) ?? "";
    let stack = name === "" ? message : message === "" ? name : `${name}: ${message}`;
    for (let from = 0, to; from < frames.length; from = to + 1) {
      to = apply(indexOf, frames, ["\n", from]);
      if (to < 0) to = frames.length;
      if (to > from) stack += `\n${frame(apply(slice, frames, [from, to]))}`;
    }
    return stack;
  }

  const stack = {
    get stack() {
      return stackOf(this);
    },
  };
  defineProperty(codex.errors, "stack", { ...getOwnPropertyDescriptor(stack, "stack"), set: setStack, enumerable: false });
});
