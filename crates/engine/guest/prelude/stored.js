// Stored values: `store()` and `load()`.
(function (host, kit) {
  "use strict";

  const { stringify, parse } = JSON;
  const { get: mapGet, set: mapSet, clear: mapClear } = Map.prototype;

  // What this cell stored.
  const ownStores = new Map();
  kit.whenCellEnds(() => kit.apply(mapClear, ownStores, []));
  const { isWellFormed } = String.prototype;
  const LONGEST_KEY = 1024;

  function checkKey(name, key) {
    if (typeof key !== "string" || key === "" || key.length > LONGEST_KEY)
      throw new TypeError(`${name}(key): key must be a string of 1 to ${LONGEST_KEY} characters`);
    // It would be stored as U+FFFD, where another such key is, too.
    if (!kit.apply(isWellFormed, key, [])) throw new TypeError(`${name}(key): key must be text without half a surrogate pair`);
  }

  // Stores a value; returns the limit that it is over, and its value, where it is over one.
  kit.storeJson = function storeJson(key, json) {
    const over = host.store(key, json, kit.apply(mapGet, ownStores, [key]));
    if (over === undefined) kit.apply(mapSet, ownStores, [key, json]);
    return over;
  };

  kit.loadJson = function loadJson(key) {
    const own = kit.apply(mapGet, ownStores, [key]);
    return own === undefined ? host.load(key) : parse(own);
  };

  kit.define("store", function store(key, value) {
    checkKey("store", key);
    const json = stringify(value, (at, inner) => {
      const type = typeof inner;
      if (type === "function" || type === "symbol" || inner === undefined)
        throw new TypeError(`store(key, value): value must be JSON, but ${at === "" ? "it" : `its "${at}"`} is ${type === "undefined" ? type : `a ${type}`}`);
      return inner;
    });
    const over = kit.storeJson(key, json);
    if (over !== undefined) throw new kit.QuotaError(`store(${stringify(key)}, value): over the limit ${over[0]} = ${over[1]}`);
  });

  kit.define("load", function loadValue(key) {
    checkKey("load", key);
    return kit.loadJson(key);
  });
});
