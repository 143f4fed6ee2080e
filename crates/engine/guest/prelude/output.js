// Text: `text()` and `notify()`.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { TEXT, NOTIFY } = kit.effects;
  const { stringify } = JSON;
  const toText = String;

  function textOf(value) {
    if (typeof value === "string") return value;
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      const json = stringify(value);
      return json === undefined ? toText(value) : json;
    }
    return toText(value);
  }

  kit.define("text", function text(value) {
    emit(TEXT, 0, 0, textOf(value));
  });

  kit.define("notify", function notify(value) {
    emit(NOTIFY, 0, 0, textOf(value));
  });
});
