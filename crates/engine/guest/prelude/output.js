// Text: `text()`, `notify()` and `console`.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { TEXT, NOTIFY } = kit.effects;
  const { stringify } = JSON;
  const { toString: objectToString } = Object.prototype;
  const toText = String;
  const LEVELS = { debug: 1, log: 2, info: 3, warn: 4, error: 5 };

  function textOf(value) {
    if (typeof value === "string") return value;
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      const json = stringify(value);
      return json === undefined ? toText(value) : json;
    }
    return toText(value);
  }

  // What console shows of a value: like text(), but it never throws and an error shows its stack.
  function shown(value) {
    try {
      if (value instanceof Error) return `${value}\n${value.stack ?? ""}`.trimEnd();
      return textOf(value);
    } catch {
      return kit.apply(objectToString, value, []);
    }
  }

  kit.shown = shown;

  kit.define("text", function text(value) {
    emit(TEXT, 0, 0, textOf(value));
  });

  kit.define("notify", function notify(value) {
    emit(NOTIFY, 0, 0, textOf(value));
  });

  const line = (level) => (...values) => {
    let out = "";
    for (let i = 0; i < values.length; i++) out += (i ? " " : "") + shown(values[i]);
    emit(TEXT, level, 0, out);
  };
  const log = line(LEVELS.log);
  const error = line(LEVELS.error);
  kit.define("console", {
    debug: line(LEVELS.debug),
    trace: line(LEVELS.debug),
    log,
    dir: log,
    table: log,
    info: line(LEVELS.info),
    warn: line(LEVELS.warn),
    error,
    assert(condition, ...values) {
      if (!condition) error("Assertion failed", ...values);
    },
  });
});
