// `console`: lines of text with a level.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { TEXT } = kit.effects;
  const { uncurry, shown, inspect } = kit;
  const { stringify } = JSON;
  const { keys } = Object;
  const { isArray } = Array;
  const toText = String;
  const toNumber = Number;
  const toInteger = parseInt;
  const toFloat = parseFloat;
  const slice = uncurry(String.prototype.slice);
  const indexOf = uncurry(String.prototype.indexOf);
  const replaceAll = uncurry(String.prototype.replaceAll);
  const trimEnd = uncurry(String.prototype.trimEnd);
  const repeat = uncurry(String.prototype.repeat);
  const Entries = Map;
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);
  const mapDelete = uncurry(Map.prototype.delete);
  const mapEach = uncurry(Map.prototype.forEach);
  const isMap = (value) => typeof value === "object" && value !== null && host.classOf(value) === "Map";
  const { now } = host;
  const LEVELS = { debug: 1, log: 2, info: 3, warn: 4, error: 5 };

  let groups = 0;
  const counts = new Entries();
  const times = new Entries();

  function print(level, line) {
    if (groups > 0) {
      const indent = repeat("  ", groups);
      line = indent + replaceAll(line, "\n", `\n${indent}`);
    }
    emit(TEXT, level, 0, line);
  }

  function open(values) {
    if (values.length) print(LEVELS.log, format(values));
    groups++;
  }

  // What a directive such as %s makes of its value; undefined where it is none.
  function directive(letter, value) {
    switch (letter) {
      case "s":
        return typeof value === "bigint" ? `${value}n` : shown(value);
      case "d":
        return typeof value === "bigint" ? `${value}n` : typeof value === "object" || typeof value === "symbol" ? "NaN" : `${toNumber(value)}`;
      case "i":
        return typeof value === "bigint" ? `${value}n` : typeof value === "object" || typeof value === "symbol" ? "NaN" : `${toInteger(value)}`;
      case "f":
        return typeof value === "symbol" ? "NaN" : `${toFloat(value)}`;
      case "j":
        return stringify(value) ?? "undefined";
      case "o":
      case "O":
        return inspect(value);
      case "c":
        return "";
      default:
        return undefined;
    }
  }

  function format(values) {
    if (values.length === 0) return "";
    let used = 1;
    let out = shown(values[0]);
    if (typeof values[0] === "string" && values.length > 1 && indexOf(out, "%") >= 0) {
      const pattern = out;
      out = "";
      let from = 0;
      for (let at = indexOf(pattern, "%"); at >= 0 && at + 1 < pattern.length; at = indexOf(pattern, "%", at)) {
        const letter = pattern[at + 1];
        let made;
        if (letter === "%") made = "%";
        else if (used < values.length && (made = directive(letter, values[used])) !== undefined) used++;
        if (made !== undefined) {
          out += slice(pattern, from, at) + made;
          from = at + 2;
        }
        at += made === undefined ? 1 : 2;
      }
      out += slice(pattern, from);
    }
    for (; used < values.length; used++) out += ` ${shown(values[used])}`;
    return out;
  }

  const labelOf = (label) => (label === undefined ? "default" : toText(label));

  function duration(label) {
    const from = mapGet(times, label);
    if (from === undefined) {
      print(LEVELS.warn, `Timer '${label}' does not exist`);
      return undefined;
    }
    return `${label}: ${now() - from} ms`;
  }

  // A cell of a table, on one line.
  const cell = (value) => replaceAll(replaceAll(replaceAll(shown(value), "\\", "\\\\"), "|", "\\|"), "\n", "\\n");

  // A table as Markdown has it.
  function table(data, only) {
    const rows = [];
    const add = (index, value) => (rows[rows.length] = { __proto__: null, index, value });
    if (isMap(data)) mapEach(data, (value, key) => add(key, value));
    else if (isArray(data)) for (let i = 0; i < data.length; i++) add(i, data[i]);
    else {
      const names = keys(data);
      for (let i = 0; i < names.length; i++) add(names[i], data[names[i]]);
    }
    const columns = [];
    const known = { __proto__: null };
    const column = (name) => {
      if (known[name] === undefined) known[name] = (columns[columns.length] = name);
    };
    let hasValues = false;
    if (only !== undefined) for (let i = 0; i < only.length; i++) column(toText(only[i]));
    for (let i = 0; i < rows.length; i++) {
      const { value } = rows[i];
      const isRow = typeof value === "object" && value !== null;
      hasValues ||= !isRow;
      if (!isRow || only !== undefined) continue;
      const names = keys(value);
      for (let j = 0; j < names.length; j++) column(names[j]);
    }
    let head = "| (index) |";
    let rule = "| --- |";
    for (let i = 0; i < columns.length; i++) {
      head += ` ${cell(columns[i])} |`;
      rule += " --- |";
    }
    let out = hasValues ? `${head} Values |\n${rule} --- |` : `${head}\n${rule}`;
    for (let i = 0; i < rows.length; i++) {
      const { index, value } = rows[i];
      const isRow = typeof value === "object" && value !== null;
      out += `\n| ${cell(index)} |`;
      for (let j = 0; j < columns.length; j++) out += isRow && columns[j] in value ? ` ${cell(value[columns[j]])} |` : "  |";
      if (hasValues) out += isRow ? "  |" : ` ${cell(value)} |`;
    }
    return out;
  }

  const console = {
    log: (...values) => print(LEVELS.log, format(values)),
    info: (...values) => print(LEVELS.info, format(values)),
    warn: (...values) => print(LEVELS.warn, format(values)),
    error: (...values) => print(LEVELS.error, format(values)),
    debug: (...values) => print(LEVELS.debug, format(values)),
    dir: (value) => print(LEVELS.log, inspect(value)),
    dirxml: (...values) => print(LEVELS.log, format(values)),
    trace(...values) {
      const message = format(values);
      print(LEVELS.debug, `Trace${message && `: ${message}`}\n${trimEnd(new Trace().stack)}`);
    },
    assert(condition, ...values) {
      if (!condition) print(LEVELS.error, values.length ? `Assertion failed: ${format(values)}` : "Assertion failed");
    },
    table(data, columns = undefined) {
      if (typeof data !== "object" || data === null) {
        print(LEVELS.log, format([data]));
        return;
      }
      if (columns !== undefined && !isArray(columns)) throw new TypeError("console.table(data, columns): columns must be an array of names");
      let text;
      try {
        text = table(data, columns);
      } catch {
        text = inspect(data);
      }
      print(LEVELS.log, text);
    },
    group: (...values) => open(values),
    groupCollapsed: (...values) => open(values),
    groupEnd() {
      if (groups > 0) groups--;
    },
    count(label) {
      const name = labelOf(label);
      const count = (mapGet(counts, name) ?? 0) + 1;
      mapSet(counts, name, count);
      print(LEVELS.log, `${name}: ${count}`);
    },
    countReset(label) {
      const name = labelOf(label);
      if (!mapDelete(counts, name)) print(LEVELS.warn, `Count for '${name}' does not exist`);
    },
    time(label) {
      const name = labelOf(label);
      if (mapGet(times, name) === undefined) mapSet(times, name, now());
      else print(LEVELS.warn, `Timer '${name}' already exists`);
    },
    timeLog(label, ...values) {
      const line = duration(labelOf(label));
      if (line !== undefined) print(LEVELS.log, values.length ? `${line} ${format(values)}` : line);
    },
    timeEnd(label) {
      const name = labelOf(label);
      const line = duration(name);
      if (line === undefined) return;
      mapDelete(times, name);
      print(LEVELS.log, line);
    },
    // There is nothing to clear.
    clear() {},
  };
  const Trace = Error;

  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  kit.define("console", console);
});
