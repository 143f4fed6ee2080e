// The globals of a cell, over the functions that cell.c offers as `host`.
//
// Evaluated once, when the image is built. What it needs of the built-ins it takes before any cell runs, so
// that a cell which replaces them harms only itself. Returns what cell.c calls back.
(function (host) {
  "use strict";

  const { toolIndex, toolFunction, toolsJson, emit, isBase64, store: keep, load, exit } = host;
  const { stringify, parse } = JSON;
  const { defineProperty, freeze } = Object;
  const { isArray } = Array;
  const toText = String;
  const isNumber = Number.isFinite;
  const { abs, floor, max, min, trunc } = Math;
  const { exec } = RegExp.prototype;
  const { indexOf, slice, toWellFormed } = String.prototype;
  const apply = Reflect.apply;
  const { get: mapGet, set: mapSet, has: mapHas, delete: mapDelete } = Map.prototype;

  // The numbers of host.h.
  const TEXT = 2, IMAGE = 3, AUDIO = 4, BLOCK = 5, NOTIFY = 6, SET_TIMER = 8, CLEAR_TIMER = 9, YIELD = 10;
  const LEVELS = { debug: 1, log: 2, info: 3, warn: 4, error: 5 };

  function define(name, value) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }

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
  define("ToolError", ToolError);
  define("QuotaError", QuotaError);

  // A stack trace shows where functions were called, not the functions: through those of this file a cell would
  // come by `host`.
  Error.prepareStackTrace = (_, sites) => sites;
  const callSite = Object.getPrototypeOf(new Error().stack[0]);
  delete callSite.getFunction;
  delete callSite.getThis;
  Error.prepareStackTrace = undefined;

  // ---- text ----

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
      return Object.prototype.toString.call(value);
    }
  }

  define("text", function text(value) {
    emit(TEXT, 0, 0, textOf(value));
  });

  define("notify", function notify(value) {
    emit(NOTIFY, 0, 0, textOf(value));
  });

  const line = (level) => (...values) => {
    let out = "";
    for (let i = 0; i < values.length; i++) out += (i ? " " : "") + shown(values[i]);
    emit(TEXT, level, 0, out);
  };
  const log = line(LEVELS.log);
  const error = line(LEVELS.error);
  define("console", {
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

  // ---- media ----

  // What stands before the comma of a data URL: a media type, parameters, and that it is base64.
  const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64$/;
  const LONGEST_HEAD = 256;

  function emitMedia(effect, kind, value) {
    const found = mediaOf(kind, value);
    if (!found)
      throw new TypeError(
        `${kind}(value): value must be a data URL ("data:${kind}/…;base64,…"), an object with \`${kind}_url\`, ` +
          `or an MCP ${kind} block {type: "${kind}", data, mimeType}`,
      );
    emit(effect, 0, 0, found.data, found.mimeType);
  }

  function mediaOf(kind, value) {
    if (typeof value === "string") {
      const comma = apply(indexOf, value, [","]);
      if (comma < 0 || comma > LONGEST_HEAD) return null;
      const parts = apply(exec, DATA_URL, [apply(slice, value, [0, comma])]);
      const data = apply(slice, value, [comma + 1]);
      return parts !== null && isBase64(data) ? { mimeType: parts[1], data } : null;
    }
    if (typeof value !== "object" || value === null) return null;
    const url = value[`${kind}_url`];
    if (url !== undefined) return mediaOf(kind, typeof url === "object" && url !== null ? url.url : url);
    const { type, data, mimeType } = value;
    const isBlock = type === kind && typeof data === "string" && typeof mimeType === "string" && isBase64(data);
    return isBlock ? { data, mimeType } : null;
  }

  define("image", function image(value) {
    emitMedia(IMAGE, "image", value);
  });
  define("audio", function audio(value) {
    emitMedia(AUDIO, "audio", value);
  });

  define("content", function content(block) {
    const type = block?.type;
    if (type === "text" && typeof block.text === "string") emit(TEXT, 0, 0, block.text);
    else if (type === "image") emitMedia(IMAGE, "image", block);
    else if (type === "audio") emitMedia(AUDIO, "audio", block);
    else if (type === "resource" || type === "resource_link") emit(BLOCK, 0, 0, stringify(block));
    else
      throw new TypeError(
        'content(block): block must be an MCP content block: {type: "text" | "image" | "audio" | "resource" | "resource_link", …}',
      );
  });

  // ---- stored values ----

  const ownStores = new Map();
  const LONGEST_KEY = 1024;

  function checkKey(name, key) {
    if (typeof key !== "string" || key === "" || key.length > LONGEST_KEY)
      throw new TypeError(`${name}(key): key must be a string of 1 to ${LONGEST_KEY} characters`);
  }

  define("store", function store(key, value) {
    checkKey("store", key);
    const json = stringify(value, (at, inner) => {
      const type = typeof inner;
      if (type === "function" || type === "symbol" || inner === undefined)
        throw new TypeError(`store(key, value): value must be JSON, but ${at === "" ? "it" : `its "${at}"`} is ${type === "undefined" ? type : `a ${type}`}`);
      return inner;
    });
    const over = keep(key, json, apply(mapGet, ownStores, [key]));
    if (over !== undefined) throw new QuotaError(`store(${stringify(key)}, value): over the limit ${over[0]} = ${over[1]}`);
    apply(mapSet, ownStores, [key, json]);
  });

  define("load", function loadValue(key) {
    checkKey("load", key);
    const own = apply(mapGet, ownStores, [key]);
    return own === undefined ? load(key) : parse(own);
  });

  // ---- control ----

  define("exit", function exitCell() {
    exit();
  });
  define("yield_control", function yield_control() {
    emit(YIELD, 0, 0);
  });

  // ---- timers ----

  const timers = new Map();
  const LONGEST_DELAY = 2147483647;
  let timersMade = 0;

  function setTimer(name, repeat, callback, delay, args) {
    if (typeof callback !== "function") throw new TypeError(`${name}(callback, ms): callback must be a function`);
    const ms = +delay;
    const wait = isNumber(ms) && ms > 0 ? min(trunc(ms), LONGEST_DELAY) : 0;
    const id = ++timersMade;
    apply(mapSet, timers, [id, { callback, args, wait: repeat ? max(wait, 1) : wait, repeat }]);
    emit(SET_TIMER, wait, id);
    return id;
  }

  function clearTimer(id) {
    if (apply(mapDelete, timers, [id])) emit(CLEAR_TIMER, 0, id);
  }

  define("setTimeout", function setTimeout(callback, delay, ...args) {
    return setTimer("setTimeout", false, callback, delay, args);
  });
  define("setInterval", function setInterval(callback, delay, ...args) {
    return setTimer("setInterval", true, callback, delay, args);
  });
  define("clearTimeout", function clearTimeout(id) {
    clearTimer(id);
  });
  define("clearInterval", function clearInterval(id) {
    clearTimer(id);
  });

  // Takes the callback of a timer that fired; undefined when it was cleared. One that repeats is set again
  // before its callback runs, so that the callback can clear it.
  function fire(id) {
    const timer = apply(mapGet, timers, [id]);
    if (timer === undefined) return undefined;
    if (timer.repeat) emit(SET_TIMER, timer.wait, id);
    else apply(mapDelete, timers, [id]);
    return () => apply(timer.callback, undefined, timer.args);
  }

  // ---- tools ----

  let allTools;
  function catalogue() {
    if (allTools === undefined) {
      allTools = toolsJson();
      for (let i = 0; i < allTools.length; i++) freeze(allTools[i]);
      freeze(allTools);
    }
    return allTools;
  }
  defineProperty(globalThis, "ALL_TOOLS", { get: catalogue, configurable: true, enumerable: false });

  // How many single-character edits lead from a to b, counted up to a limit.
  function distance(a, b, limit) {
    if (abs(a.length - b.length) > limit) return limit + 1;
    let row = [];
    for (let j = 0; j <= b.length; j++) row[j] = j;
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++)
        next[j] = min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      row = next;
    }
    return row[b.length];
  }

  // The names most like the one asked for: close by edits, or one part of the other.
  function nearest(name) {
    const wanted = name.toLowerCase();
    const limit = max(2, floor(wanted.length / 3));
    const scored = [];
    const tools = catalogue();
    for (let i = 0; i < tools.length; i++) {
      const known = tools[i].name;
      const other = known.toLowerCase();
      const bare = other.slice(other.indexOf("__") + 1).replace(/^_/, "");
      let score = min(distance(wanted, other, limit), distance(wanted, bare, limit));
      if (wanted.length > 2 && (other.includes(wanted) || (bare.length > 2 && wanted.includes(bare)))) score = min(score, 1);
      if (score <= limit) scored.push({ known, score });
    }
    scored.sort((a, b) => a.score - b.score || (a.known < b.known ? -1 : 1));
    return scored.slice(0, 5).map((found) => found.known);
  }

  function unknownTool(name) {
    const near = nearest(name);
    const count = catalogue().length;
    const hint = near.length
      ? `; the nearest are ${near.join(", ")}`
      : count
        ? `; ALL_TOOLS lists the ${count} there are`
        : "; this session has no tools";
    return new TypeError(`there is no tool "${name}"${hint}`);
  }

  const toolNames = () => catalogue().map((tool) => tool.name);
  // Names that the language itself asks any object for; they must not throw when no tool has them.
  const ASKED_BY_LANGUAGE = new Set(["then", "toJSON", "constructor", "valueOf", "toString"]);
  define(
    "tools",
    new Proxy(Object.create(null), {
      get(known, name) {
        const found = known[name];
        if (found !== undefined || typeof name === "symbol") return found;
        const index = toolIndex(name);
        if (index >= 0) return (known[name] = toolFunction(index, name));
        if (ASKED_BY_LANGUAGE.has(name)) return undefined;
        throw unknownTool(name);
      },
      has: (_, name) => typeof name === "string" && toolIndex(name) >= 0,
      ownKeys: () => toolNames(),
      getOwnPropertyDescriptor(_, name) {
        if (typeof name !== "string" || toolIndex(name) < 0) return undefined;
        return { value: globalThis.tools[name], writable: true, enumerable: true, configurable: true };
      },
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    }),
  );

  // Makes the error that a failed call rejects with. Its stack is the place of the call: where the answer came in,
  // there is nothing of the cell to show.
  function toolError({ message, code, retryable, data }, tool, site) {
    const error = new ToolError(message);
    defineProperty(error, "stack", { value: site, writable: true, configurable: true });
    error.tool = catalogue()[tool].name;
    error.code = code;
    error.retryable = retryable;
    error.data = data;
    return error;
  }

  // ---- errors ----

  // Describes a thrown value for the outcome. Frames of this file are not the cell's business.
  function describe(reason) {
    const isError = typeof reason === "object" && reason !== null && typeof reason.message === "string";
    const name = isError ? toText(reason.name || "Error") : "";
    const message = isError ? reason.message : shown(reason);
    const stack = isError && typeof reason.stack === "string" ? reason.stack : "";
    const frames = stack.split("\n").filter((frame) => frame !== "" && !frame.includes("carrel:prelude") && !frame.includes("(native)"));
    const text = (value) => apply(toWellFormed, value, []);
    return stringify({ name: text(name), message: text(message), stack: text(frames.join("\n")), isNull: reason === null });
  }

  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
  return { toolError, describe, fire };
});
