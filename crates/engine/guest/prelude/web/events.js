// `Event` and `EventTarget`, as much as aborting needs and a program may use by itself: there is no tree of targets, so
// nothing is captured and nothing bubbles.
(function (host, kit) {
  "use strict";

  const toText = String;
  const { now } = host;

  kit.events = kit.once(() => {
    const NONE = 0;
    const AT_TARGET = 2;
    let dispatch;

    class Event {
      #type;
      #bubbles;
      #cancelable;
      #composed;
      #time = now();
      #target = null;
      #phase = NONE;
      #isPassive = false;
      #isStopped = false;
      #isPrevented = false;
      #isTrusted = false;

      constructor(type, options = undefined) {
        kit.need("new Event(type, options)", arguments.length, 1);
        this.#type = toText(type);
        const { bubbles, cancelable, composed } = kit.options("new Event(type, options)", options);
        this.#bubbles = !!bubbles;
        this.#cancelable = !!cancelable;
        this.#composed = !!composed;
      }

      get type() {
        return this.#type;
      }
      get target() {
        return this.#target;
      }
      get currentTarget() {
        return this.#phase === NONE ? null : this.#target;
      }
      get srcElement() {
        return this.#target;
      }
      get eventPhase() {
        return this.#phase;
      }
      get bubbles() {
        return this.#bubbles;
      }
      get cancelable() {
        return this.#cancelable;
      }
      get composed() {
        return this.#composed;
      }
      get defaultPrevented() {
        return this.#isPrevented;
      }
      get returnValue() {
        return !this.#isPrevented;
      }
      get isTrusted() {
        return this.#isTrusted;
      }
      get timeStamp() {
        return this.#time;
      }

      composedPath() {
        return this.#phase === NONE ? [] : [this.#target];
      }
      preventDefault() {
        if (this.#cancelable && !this.#isPassive) this.#isPrevented = true;
      }
      // There is nowhere to propagate to.
      stopPropagation() {
        this.#type;
      }
      stopImmediatePropagation() {
        this.#isStopped = true;
      }

      static {
        // Calls the listeners of an event's type, in the order in which they were added; tells whether none prevented the
        // default.
        dispatch = (target, event, listeners, isTrusted) => {
          if (event.#phase !== NONE) throw kit.domException("the event is being dispatched already", "InvalidStateError");
          event.#isTrusted = isTrusted;
          event.#target = target;
          event.#phase = AT_TARGET;
          event.#isStopped = false;
          try {
            const called = [];
            for (let i = 0; i < listeners.length; i++) if (listeners[i].type === event.#type) called[called.length] = listeners[i];
            for (let i = 0; i < called.length && !event.#isStopped; i++) {
              const listener = called[i];
              if (listener.isRemoved) continue;
              if (listener.once) remove(listeners, listener);
              event.#isPassive = listener.passive;
              call(listener.callback, target, event);
              event.#isPassive = false;
            }
          } finally {
            event.#phase = NONE;
          }
          return !event.#isPrevented;
        };
        kit.isEvent = (value) => #type in value;
      }
    }

    // What a listener throws is nobody's to catch: it is reported as a promise that nobody handles is.
    function call(callback, target, event) {
      try {
        if (typeof callback === "function") kit.apply(callback, target, [event]);
        else callback.handleEvent(event);
      } catch (error) {
        kit.report(error);
      }
    }

    function remove(listeners, listener) {
      listener.isRemoved = true;
      let kept = 0;
      for (let i = 0; i < listeners.length; i++) if (listeners[i] !== listener) listeners[kept++] = listeners[i];
      listeners.length = kept;
    }

    const captureOf = (options) => (typeof options === "object" && options !== null ? !!options.capture : !!options);

    function find(listeners, type, callback, capture) {
      for (let i = 0; i < listeners.length; i++) {
        const listener = listeners[i];
        if (listener.type === type && listener.callback === callback && listener.capture === capture) return listener;
      }
      return undefined;
    }

    function checkCallback(what, callback) {
      if (callback !== null && callback !== undefined && typeof callback !== "object" && typeof callback !== "function")
        throw new TypeError(`${what}: callback must be a function or an object with handleEvent`);
    }

    class EventTarget {
      #listeners = [];

      addEventListener(type, callback, options = undefined) {
        const listeners = this.#listeners;
        const what = "EventTarget.addEventListener(type, callback, options)";
        kit.need(what, arguments.length, 2);
        checkCallback(what, callback);
        const name = toText(type);
        const capture = captureOf(options);
        const { once, passive, signal } = typeof options === "object" && options !== null ? options : {};
        if (signal !== undefined && !(typeof signal === "object" && signal !== null && kit.isSignal?.(signal)))
          throw new TypeError(`${what}: signal must be an AbortSignal`);
        if (callback === null || callback === undefined || signal?.aborted) return;
        if (find(listeners, name, callback, capture) !== undefined) return;
        const listener = { __proto__: null, type: name, callback, capture, once: !!once, passive: !!passive, isRemoved: false };
        listeners[listeners.length] = listener;
        if (signal !== undefined) kit.onAbort(signal, () => remove(listeners, listener));
      }

      removeEventListener(type, callback, options = undefined) {
        const listeners = this.#listeners;
        const what = "EventTarget.removeEventListener(type, callback, options)";
        kit.need(what, arguments.length, 2);
        checkCallback(what, callback);
        const listener = find(listeners, toText(type), callback, captureOf(options));
        if (listener !== undefined) remove(listeners, listener);
      }

      dispatchEvent(event) {
        const listeners = this.#listeners;
        kit.need("EventTarget.dispatchEvent(event)", arguments.length, 1);
        if (typeof event !== "object" || event === null || !kit.isEvent(event))
          throw new TypeError("EventTarget.dispatchEvent(event): event must be an Event");
        return dispatch(this, event, listeners, false);
      }

      static {
        kit.isEventTarget = (value) => #listeners in value;
        kit.listen = (target, type, callback) => {
          const listener = { __proto__: null, type, callback, capture: false, once: false, passive: false, isRemoved: false };
          target.#listeners[target.#listeners.length] = listener;
        };
        // An event of the platform's own.
        kit.fireEvent = (target, type) => dispatch(target, new Event(type), target.#listeners, true);
      }
    }

    kit.webClass(Event, kit.isEvent);
    const phases = { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 };
    for (const name in phases) {
      Object.defineProperty(Event, name, { value: phases[name], enumerable: true });
      Object.defineProperty(Event.prototype, name, { value: phases[name], enumerable: true });
    }
    return { Event, EventTarget: kit.webClass(EventTarget, kit.isEventTarget) };
  });

  const NewPromise = Promise;
  kit.report = (error) => void NewPromise.reject(error);

  kit.defineLazily("Event", () => kit.events().Event);
  kit.defineLazily("EventTarget", () => kit.events().EventTarget);
});
