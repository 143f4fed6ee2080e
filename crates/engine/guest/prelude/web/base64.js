// `atob` and `btoa`, and `queueMicrotask`: the engine's, with the arguments and the errors of Web IDL.
(function (host, kit) {
  "use strict";

  const { atob: decode, btoa: encode, queueMicrotask: queue } = globalThis;

  kit.define("atob", function atob(data) {
    kit.need("atob(data)", arguments.length, 1);
    const text = `${data}`;
    try {
      return decode(text);
    } catch {
      throw kit.domException(`atob(data): ${kit.quoted(text)} is not base64`, "InvalidCharacterError");
    }
  });

  kit.define("btoa", function btoa(data) {
    kit.need("btoa(data)", arguments.length, 1);
    const text = `${data}`;
    try {
      return encode(text);
    } catch {
      throw kit.domException(
        "btoa(data): data holds a character over U+00FF; encode it first, as in btoa(String.fromCharCode(...new TextEncoder().encode(data)))",
        "InvalidCharacterError",
      );
    }
  });

  kit.define("queueMicrotask", function queueMicrotask(callback) {
    if (typeof callback !== "function") throw new TypeError("queueMicrotask(callback): callback must be a function");
    queue(callback);
  });
});
