class Counter extends EventTarget { count = 0; }
const counter = new Counter();
const add = function (event) { this.count++; event.preventDefault(); };
counter.addEventListener("add", add);
counter.addEventListener("add", add);
counter.addEventListener("add", { handleEvent(event) { text(`${event.type} ${event.cancelable} ${event.eventPhase}`); } });
text(counter.dispatchEvent(new Event("add", { cancelable: true })));
counter.removeEventListener("add", add);
text([counter.dispatchEvent(new Event("add")), counter.count]);
const gone = new AbortController();
counter.addEventListener("add", () => text("never"), { signal: gone.signal });
gone.abort();
counter.addEventListener("add", (event) => event.stopImmediatePropagation());
counter.addEventListener("add", () => text("never"));
counter.dispatchEvent(new Event("add"));
for (const wrong of [() => counter.addEventListener("x"), () => counter.addEventListener("x", 1), () => counter.dispatchEvent({}), () => new Event()])
  try { wrong(); } catch (error) { text(String(error)); }
