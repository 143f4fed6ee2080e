// `tools` and `ALL_TOOLS`.
(function (host, kit) {
  "use strict";

  const { defineProperty, freeze } = Object;
  const { abs, floor, max, min } = Math;

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

  // The functions that were asked for, by name.
  let functions = Object.create(null);
  kit.forgetTools = function forgetTools() {
    allTools = undefined;
    functions = Object.create(null);
  };

  const toolNames = () => catalogue().map((tool) => tool.name);
  // Names that the language itself asks any object for; they must not throw when no tool has them.
  const ASKED_BY_LANGUAGE = new Set(["then", "toJSON", "constructor", "valueOf", "toString"]);
  kit.define(
    "tools",
    new Proxy(Object.create(null), {
      get(_, name) {
        const found = functions[name];
        if (found !== undefined || typeof name === "symbol") return found;
        const index = host.toolIndex(name);
        if (index >= 0) return (functions[name] = host.toolFunction(index, name));
        if (ASKED_BY_LANGUAGE.has(name)) return undefined;
        throw unknownTool(name);
      },
      has: (_, name) => typeof name === "string" && host.toolIndex(name) >= 0,
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
  kit.toolError = function toolError({ message, code, retryable, data }, tool, site) {
    const error = new kit.ToolError(message);
    defineProperty(error, "stack", { value: site, writable: true, configurable: true });
    error.tool = catalogue()[tool].name;
    error.code = code;
    error.retryable = retryable;
    error.data = data;
    return error;
  };
});
