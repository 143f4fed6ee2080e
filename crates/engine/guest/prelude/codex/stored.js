// The dialect of Codex: `store()` and `load()`. Any key is text, and any value what JSON makes of it.
(function (host, kit) {
  "use strict";

  const { codex } = kit;
  const { stringify } = JSON;
  const toText = String;

  codex.NO_JSON = "failed to serialize JavaScript value: expected value at line 1 column 1";

  function keyOf(name, key) {
    try {
      if (typeof key !== "symbol") return toText(key);
    } catch {
      // Said below.
    }
    throw `${name} key must be a string`;
  }

  codex.give("store", (key = undefined, value = undefined) => {
    const at = keyOf("store", key);
    if (value === undefined) throw `Unable to store ${stringify(at)}. Only plain serializable objects can be stored.`;
    const json = codex.orText(() => stringify(value));
    if (json === undefined) throw codex.NO_JSON;
    const over = kit.storeJson(at, json);
    if (over !== undefined) throw `Unable to store ${stringify(at)}: over the limit ${over[0]} = ${over[1]}`;
  });

  codex.give("load", (key = undefined) => kit.loadJson(keyOf("load", key)));
});
