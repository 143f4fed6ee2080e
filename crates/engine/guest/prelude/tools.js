// `tools` and `ALL_TOOLS`.
(function (host, kit) {
  "use strict";

  const { defineProperty, freeze } = Object;
  const { abs, floor, max, min } = Math;
  const { isArray } = Array;
  const { isInteger } = Number;
  const { ownKeys } = Reflect;
  const { trim } = String.prototype;
  const { apply } = kit;
  const toText = String;

  let allTools;
  function catalogue() {
    if (allTools === undefined) {
      allTools = host.toolsJson();
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

  // What the owner of the cell answers, and not a tool: its tools can be hundreds, with large schemas.
  const QUERY_CHARS = 1000;
  const LIMIT_DEFAULT = 10;
  const LIMIT_MAX = 100;
  const NAMES_MAX = 100;

  function refuse(usage, problem) {
    throw new TypeError(`${usage}: ${problem}`);
  }

  const own = {
    __proto__: null,

    $search(query, options) {
      const usage = "tools.$search takes words that say what a tool should do, and { limit }";
      if (typeof query !== "string") refuse(usage, `the query is a string, not ${kindOf(query)}`);
      if (apply(trim, query, []) === "") refuse(usage, "the query is empty");
      if (query.length > QUERY_CHARS) refuse(usage, `the query has ${query.length} characters, more than ${QUERY_CHARS}`);
      let limit = LIMIT_DEFAULT;
      if (options !== undefined) {
        if (typeof options !== "object" || options === null) refuse(usage, `the options are an object, not ${kindOf(options)}`);
        const keys = ownKeys(options);
        for (let i = 0; i < keys.length; i++)
          if (keys[i] !== "limit") refuse(usage, `there is no option ${toText(keys[i])}`);
        const asked = options.limit;
        if (asked !== undefined) limit = asked;
        if (!isInteger(limit) || limit < 1 || limit > LIMIT_MAX) refuse(usage, `\`limit\` is an integer from 1 to ${LIMIT_MAX}`);
      }
      return host.search(limit, query);
    },

    $describe(names) {
      const usage = "tools.$describe takes the name of a tool, or an array of names";
      if (typeof names === "string") return host.describe(toText(placeOf(names)));
      if (!isArray(names)) refuse(usage, `not ${kindOf(names)}`);
      const { length } = names;
      if (!isInteger(length) || length < 1 || length > NAMES_MAX) refuse(usage, `an array has 1 to ${NAMES_MAX} of them`);
      let places = "";
      for (let i = 0; i < length; i++) {
        const name = names[i];
        if (typeof name !== "string") refuse(usage, `a name is a string, not ${kindOf(name)}`);
        places += `${i > 0 ? "," : ""}${placeOf(name)}`;
      }
      return host.describe(places);
    },
  };

  const kindOf = (value) => (value === null ? "null" : value === undefined ? "undefined" : `a value of type ${typeof value}`);

  function placeOf(name) {
    const index = host.toolIndex(name);
    if (index < 0) throw unknownTool(name);
    return index;
  }

  // The functions that were asked for, by name.
  let functions = Object.create(null);
  const whenChanged = [];
  kit.whenToolsChange = function whenToolsChange(forget) {
    whenChanged[whenChanged.length] = forget;
  };
  kit.forgetTools = function forgetTools() {
    allTools = undefined;
    functions = Object.create(null);
    for (let i = 0; i < whenChanged.length; i++) whenChanged[i]();
  };

  const toolNames = () => catalogue().map((tool) => tool.name);
  // Names that the language itself asks any object for; they must not throw when no tool has them.
  const ASKED_BY_LANGUAGE = new Set(["then", "toJSON", "constructor", "valueOf", "toString"]);
  kit.define(
    "tools",
    new Proxy(Object.create(null), {
      get(_, name) {
        const found = own[name] ?? functions[name];
        if (found !== undefined || typeof name === "symbol") return found;
        const index = host.toolIndex(name);
        if (index >= 0) return (functions[name] = host.toolFunction(index, name));
        if (ASKED_BY_LANGUAGE.has(name)) return undefined;
        throw unknownTool(name);
      },
      has: (_, name) => typeof name === "string" && (own[name] !== undefined || host.toolIndex(name) >= 0),
      ownKeys: () => toolNames(),
      getOwnPropertyDescriptor(_, name) {
        if (typeof name !== "string" || host.toolIndex(name) < 0) return undefined;
        return { value: globalThis.tools[name], writable: true, enumerable: true, configurable: true };
      },
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    }),
  );

  // Makes the error that a failed call rejects with. Its stack is the place of the call: where the answer came in,
  // there is nothing of the cell to show.
  kit.toolError = function toolError({ message, code, retryable, data, callId }, tool, site) {
    const isUnknown = code === "outcome_unknown";
    const error = isUnknown ? new kit.OutcomeUnknownError(message) : new kit.ToolError(message);
    kit.hide(error, "stack", site);
    error.tool = tool < 0 ? undefined : catalogue()[tool].name;
    if (isUnknown) error.callId = callId;
    error.code = code;
    error.retryable = retryable;
    error.data = data;
    return error;
  };
});
