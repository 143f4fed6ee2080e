// The classes of errors that are not the language's own, and what an outcome says of a thrown value.
(function (host, kit) {
  "use strict";

  const { stringify } = JSON;
  const { defineProperty } = Object;
  const { toWellFormed } = String.prototype;
  const toText = String;

  function errorClass(name, Base) {
    const Class = class extends Base {};
    defineProperty(Class, "name", { value: name });
    defineProperty(Class.prototype, "name", { value: name, writable: true, configurable: true });
    return Class;
  }
  const ToolError = errorClass("ToolError", Error);
  const QuotaError = errorClass("QuotaError", RangeError);
  // A caught error that is printed or stored should say what it was.
  defineProperty(ToolError.prototype, "toJSON", {
    value() {
      const { name, message, tool, code, retryable, data } = this;
      return { name, message, tool, code, retryable, data };
    },
    writable: true,
    configurable: true,
  });
  kit.ToolError = ToolError;
  kit.QuotaError = QuotaError;
  kit.define("ToolError", ToolError);
  kit.define("QuotaError", QuotaError);

  // A stack trace shows where functions were called, not the functions: a cell would come by those of `host`. Frames of
  // the prelude are left out, so one that is not has to be made.
  Error.prepareStackTrace = (_, sites) => sites;
  const callSite = Object.getPrototypeOf((0, eval)("new Error()").stack[0]);
  delete callSite.getFunction;
  delete callSite.getThis;
  Error.prepareStackTrace = undefined;

  // Describes a value that the cell `file` threw, for the outcome. Frames of the prelude are not the cell's business.
  kit.describe = function describe(reason, file) {
    const isError = typeof reason === "object" && reason !== null && typeof reason.message === "string";
    const name = isError ? toText(reason.name || "Error") : "";
    const message = isError ? reason.message : kit.shown(reason);
    const stack = isError && typeof reason.stack === "string" ? reason.stack : "";
    const frames = stack.split("\n").filter((frame) => frame !== "" && !frame.includes("carrel:prelude") && !frame.includes("(native)"));
    const text = (value) => kit.apply(toWellFormed, value, []);
    return stringify({ name: text(name), message: text(message), stack: text(frames.join("\n")), file });
  };
});
