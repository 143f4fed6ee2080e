// The classes of errors that are not the language's own, and what an outcome says of a thrown value.
(function (host, kit) {
  "use strict";

  const { stringify } = JSON;
  const { classOf } = host;
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { hasOwnProperty } = Object.prototype;
  const { includes, indexOf, slice, toWellFormed } = String.prototype;
  const { apply } = kit;
  const toText = String;

  function errorClass(name, Base) {
    const Class = class extends Base {};
    defineProperty(Class, "name", { value: name });
    defineProperty(Class.prototype, "name", { value: name, writable: true, configurable: true });
    return Class;
  }
  const ToolError = errorClass("ToolError", Error);
  const OutcomeUnknownError = errorClass("OutcomeUnknownError", ToolError);
  const QuotaError = errorClass("QuotaError", RangeError);
  // A caught error that is printed or stored should say what it was.
  defineProperty(ToolError.prototype, "toJSON", {
    value() {
      const { name, message, tool, callId, code, retryable, data } = this;
      return { name, message, tool, callId, code, retryable, data };
    },
    writable: true,
    configurable: true,
  });
  kit.ToolError = ToolError;
  kit.OutcomeUnknownError = OutcomeUnknownError;
  kit.QuotaError = QuotaError;
  kit.define("ToolError", ToolError);
  kit.define("OutcomeUnknownError", OutcomeUnknownError);
  kit.define("QuotaError", QuotaError);

  // A stack trace shows where functions were called, not the functions: a cell would come by those of `host`. Frames of
  // the prelude are left out, so one that is not has to be made.
  Error.prepareStackTrace = (_, sites) => sites;
  const callSite = Object.getPrototypeOf((0, eval)("new Error()").stack[0]);
  delete callSite.getFunction;
  delete callSite.getThis;
  Error.prepareStackTrace = undefined;

  // The frames of a stack trace but for those of the prelude, which are not the cell's business.
  function framesOf(stack) {
    let frames = "";
    for (let from = 0, to; from < stack.length; from = to + 1) {
      to = apply(indexOf, stack, ["\n", from]);
      if (to < 0) to = stack.length;
      const frame = apply(slice, stack, [from, to]);
      const isPreludes = apply(includes, frame, ["carrel:prelude"]) || apply(includes, frame, ["(native)"]);
      if (frame !== "" && !isPreludes) frames += `${frames && "\n"}${frame}`;
    }
    return frames;
  }

  // Without a prototype, so that no `toJSON` of the cell's is found.
  function description(name, message, stack, file) {
    const text = (value) => apply(toWellFormed, value, []);
    return stringify({ __proto__: null, name: text(name), message: text(message), stack: text(framesOf(stack)), file });
  }

  // Describes a value that the cell `file` threw, for the outcome.
  kit.describe = function describe(reason, file) {
    const isError = typeof reason === "object" && reason !== null && typeof reason.message === "string";
    const name = isError ? toText(reason.name || "Error") : "";
    const message = isError ? reason.message : kit.shown(reason);
    const stack = isError && typeof reason.stack === "string" ? reason.stack : "";
    return description(name, message, stack, file);
  };

  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // What a member holds that is data, or a built-in getter returns; undefined where code of the cell's would have to say.
  function dataOf(object, key) {
    for (let at = object; at !== null && classOf(at) !== "Proxy"; at = getPrototypeOf(at)) {
      const own = getOwnPropertyDescriptor(at, key);
      if (own === undefined) continue;
      if (apply(hasOwnProperty, own, ["value"])) return own.value;
      return own.get === stackOf || own.get === nameOf || own.get === messageOf ? apply(own.get, object, []) : undefined;
    }
  }
  const { get: stackOf } = getOwnPropertyDescriptor(Error.prototype, "stack");
  const { get: nameOf } = getOwnPropertyDescriptor(DOMException.prototype, "name");
  const { get: messageOf } = getOwnPropertyDescriptor(DOMException.prototype, "message");

  // Describes a value like that, but without running any code of the cell's.
  kit.describeStill = function describeStill(reason, file) {
    if (!isObject(reason)) return description("", kit.shown(reason), "", file);
    const message = dataOf(reason, "message");
    if (typeof message !== "string") return description("", `[${classOf(reason)}]`, "", file);
    const name = dataOf(reason, "name");
    const stack = dataOf(reason, "stack");
    return description(typeof name === "string" && name !== "" ? name : "Error", message, typeof stack === "string" ? stack : "", file);
  };
});
