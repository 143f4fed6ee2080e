queueMicrotask(() => text("second"));
text("first");
await null;
for (const wrong of [undefined, "code"])
  try { queueMicrotask(wrong); } catch (error) { text(String(error)); }
queueMicrotask(() => { throw new RangeError("in a microtask"); });
await null;
text("never");
