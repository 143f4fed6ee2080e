// `AbortController` and `AbortSignal`.
(function (host, kit) {
  "use strict";

  const { setTimeout } = globalThis;
  const isInteger = Number.isSafeInteger;
  const { trunc } = Math;

  const make = kit.once(() => {
    const { EventTarget } = kit.events();
    const OURS = { __proto__: null };
    let abort, follow;

    class AbortSignal extends EventTarget {
      #aborted = false;
      #reason = undefined;
      // What is to be done before the event.
      #steps = [];
      // The signals that abort when this does, and, of one made by any(), those it follows.
      #dependents = [];
      #sources = undefined;
      #onabort = null;
      #isListening = false;

      constructor() {
        if (arguments[0] !== OURS)
          throw new TypeError("new AbortSignal(): use new AbortController().signal, AbortSignal.abort, AbortSignal.timeout or AbortSignal.any");
        super();
      }

      static abort(reason = undefined) {
        const signal = new AbortSignal(OURS);
        abort(signal, reason);
        return signal;
      }

      static timeout(milliseconds) {
        kit.need("AbortSignal.timeout(milliseconds)", arguments.length, 1);
        const wait = trunc(+milliseconds);
        if (!isInteger(wait) || wait < 0)
          throw new TypeError("AbortSignal.timeout(milliseconds): milliseconds must be a number from 0 to 9007199254740991");
        const signal = new AbortSignal(OURS);
        setTimeout(() => abort(signal, kit.domException("the operation timed out", "TimeoutError")), wait);
        return signal;
      }

      static any(signals) {
        kit.need("AbortSignal.any(signals)", arguments.length, 1);
        const list = [];
        for (const signal of signals) {
          if (typeof signal !== "object" || signal === null || !(#aborted in signal))
            throw new TypeError("AbortSignal.any(signals): signals must be an iterable of AbortSignals");
          list[list.length] = signal;
        }
        const any = new AbortSignal(OURS);
        for (let i = 0; i < list.length; i++) {
          if (list[i].#aborted) {
            any.#aborted = true;
            any.#reason = list[i].#reason;
            return any;
          }
        }
        any.#sources = [];
        for (let i = 0; i < list.length; i++) {
          const sources = list[i].#sources ?? [list[i]];
          for (let j = 0; j < sources.length; j++) follow(any, sources[j]);
        }
        return any;
      }

      get aborted() {
        return this.#aborted;
      }

      get reason() {
        return this.#reason;
      }

      throwIfAborted() {
        if (this.#aborted) throw this.#reason;
      }

      get onabort() {
        return this.#onabort;
      }

      // The handler takes its place among the listeners when it is first set, and keeps it.
      set onabort(handler) {
        this.#onabort = typeof handler === "function" || (typeof handler === "object" && handler !== null) ? handler : null;
        if (this.#onabort === null || this.#isListening) return;
        this.#isListening = true;
        kit.listen(this, "abort", (event) => {
          if (typeof this.#onabort === "function") kit.apply(this.#onabort, this, [event]);
        });
      }

      static {
        follow = (any, source) => {
          for (let i = 0; i < any.#sources.length; i++) if (any.#sources[i] === source) return;
          any.#sources[any.#sources.length] = source;
          source.#dependents[source.#dependents.length] = any;
        };
        // All signals are aborted before the first of them tells anybody.
        abort = (signal, reason) => {
          if (signal.#aborted) return;
          const aborted = [signal];
          signal.#aborted = true;
          signal.#reason = reason === undefined ? kit.domException("the operation was aborted", "AbortError") : reason;
          const dependents = signal.#dependents;
          for (let i = 0; i < dependents.length; i++) {
            if (dependents[i].#aborted) continue;
            dependents[i].#aborted = true;
            dependents[i].#reason = signal.#reason;
            aborted[aborted.length] = dependents[i];
          }
          for (let i = 0; i < aborted.length; i++) {
            const steps = aborted[i].#steps;
            aborted[i].#steps = [];
            for (let j = 0; j < steps.length; j++) steps[j]();
            kit.fireEvent(aborted[i], "abort");
          }
        };
        kit.isSignal = (value) => #aborted in value;
        kit.onAbort = (signal, step) => (signal.#steps[signal.#steps.length] = step);
      }
    }

    class AbortController {
      #signal = new AbortSignal(OURS);

      get signal() {
        return this.#signal;
      }

      abort(reason = undefined) {
        abort(this.#signal, reason);
      }

      static {
        kit.isController = (value) => #signal in value;
      }
    }

    return { AbortSignal: kit.webClass(AbortSignal, kit.isSignal), AbortController: kit.webClass(AbortController, kit.isController) };
  });

  kit.defineLazily("AbortController", () => make().AbortController);
  kit.defineLazily("AbortSignal", () => make().AbortSignal);
});
