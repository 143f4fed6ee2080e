const controller = new AbortController();
const { signal } = controller;
signal.onabort = (event) => text(`handler ${event.type} ${event.isTrusted} ${event.target === signal}`);
signal.addEventListener("abort", () => text("listener"), { once: true });
signal.throwIfAborted();
text([signal.aborted, signal.reason]);
controller.abort();
controller.abort("again");
text([signal.aborted, signal.reason.name, signal.reason.code, signal.reason instanceof DOMException, signal.reason instanceof Error]);
try { signal.throwIfAborted(); } catch (error) { text(String(error)); }
text([AbortSignal.abort("why").reason, AbortSignal.abort().reason.message]);
