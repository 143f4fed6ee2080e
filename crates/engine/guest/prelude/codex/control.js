// The dialect of Codex: `exit()`, `yield_control()` and timers.
(function (host, kit) {
  "use strict";

  const { codex } = kit;
  const { YIELD } = kit.effects;

  codex.give("exit", () => {
    host.exit();
  });

  codex.give("yield_control", () => {
    host.emit(YIELD, 0, 0);
  });

  codex.give("setTimeout", (callback = undefined, delay = undefined) => {
    if (typeof callback !== "function") throw "setTimeout expects a function callback";
    return kit.setTimer("setTimeout", false, callback, delay, []);
  });

  codex.give("clearTimeout", (id = undefined) => {
    if (typeof id === "bigint" || typeof id === "symbol") throw "clearTimeout expects a numeric timeout id";
    kit.clearTimer(+id);
  });
});
