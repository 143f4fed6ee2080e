// Timers. The session keeps the time; here is only what to do when it comes.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { SET_TIMER, CLEAR_TIMER } = kit.effects;
  const isNumber = Number.isFinite;
  const { max, min, trunc } = Math;
  const { get: mapGet, set: mapSet, delete: mapDelete, clear: mapClear } = Map.prototype;

  const timers = new Map();
  const LONGEST_DELAY = 2147483647;
  let timersMade = 0;
  kit.whenCellEnds(() => kit.apply(mapClear, timers, []));

  function setTimer(name, repeat, callback, delay, args) {
    if (typeof callback !== "function") throw new TypeError(`${name}(callback, ms): callback must be a function`);
    const ms = +delay;
    const wait = isNumber(ms) && ms > 0 ? min(trunc(ms), LONGEST_DELAY) : 0;
    const id = ++timersMade;
    kit.apply(mapSet, timers, [id, { callback, args, wait: repeat ? max(wait, 1) : wait, repeat }]);
    emit(SET_TIMER, wait, id);
    return id;
  }

  function clearTimer(id) {
    if (kit.apply(mapDelete, timers, [id])) emit(CLEAR_TIMER, 0, id);
  }

  kit.setTimer = setTimer;
  kit.clearTimer = clearTimer;
  kit.define("setTimeout", function setTimeout(callback, delay, ...args) {
    return setTimer("setTimeout", false, callback, delay, args);
  });
  kit.define("setInterval", function setInterval(callback, delay, ...args) {
    return setTimer("setInterval", true, callback, delay, args);
  });
  kit.define("clearTimeout", function clearTimeout(id) {
    clearTimer(id);
  });
  kit.define("clearInterval", function clearInterval(id) {
    clearTimer(id);
  });

  // Takes the callback of a timer that fired; undefined when it was cleared. One that repeats is set again
  // before its callback runs, so that the callback can clear it.
  kit.fire = function fire(id) {
    const timer = kit.apply(mapGet, timers, [id]);
    if (timer === undefined) return undefined;
    if (timer.repeat) emit(SET_TIMER, timer.wait, id);
    else kit.apply(mapDelete, timers, [id]);
    const { callback, args } = timer;
    // A plain call is no frame in a stack trace.
    return args.length === 0 ? () => callback() : () => kit.apply(callback, undefined, args);
  };
});
