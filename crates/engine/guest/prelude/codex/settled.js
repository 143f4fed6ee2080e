// The dialect of Codex: `as_settled()` and `stream_settled()`, promises in the order in which they settle.
(function (host, kit) {
  "use strict";

  const { codex, apply } = kit;
  const Keyed = Map;
  const Pledge = Promise;
  const { resolve } = Promise;
  const { then } = Promise.prototype;

  function as_settled(promises) {
    // What has settled and was not taken yet; how many have not; and what is to be called when one does.
    let settled = [];
    let pending = 0;
    let wake;
    let isOver = false;

    const settle = (result) => {
      pending--;
      if (isOver) return;
      settled[settled.length] = result;
      wake?.();
      wake = undefined;
    };

    function watch(index, promise) {
      pending++;
      const fulfilled = (value) => settle({ index, status: "fulfilled", value });
      const rejected = (reason) => settle({ index, status: "rejected", reason });
      apply(then, apply(resolve, Pledge, [promise]), [fulfilled, rejected]);
    }

    let place = 0;
    try {
      if (promises instanceof Keyed) for (const [key, promise] of promises) watch(key, promise);
      else for (const promise of promises) watch(place++, promise);
    } catch (error) {
      isOver = true;
      throw error;
    }

    async function* results() {
      try {
        while (pending > 0 || settled.length > 0) {
          if (settled.length === 0) await new Pledge((done) => (wake = done));
          const taken = settled;
          settled = [];
          for (let i = 0; i < taken.length; i++) yield taken[i];
        }
      } finally {
        isOver = true;
        settled = [];
      }
    }
    return results();
  }

  codex.give("as_settled", as_settled);
  codex.give("stream_settled", async function stream_settled(promises, emit) {
    if (typeof emit !== "function") throw new TypeError("stream_settled requires a callback");
    for await (const result of as_settled(promises)) await emit(result);
  });
});
