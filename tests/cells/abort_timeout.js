const signal = AbortSignal.timeout(250);
await new Promise((resolve) => signal.addEventListener("abort", resolve));
text([signal.aborted, signal.reason.name, signal.reason.message, performance.now()]);
for (const wrong of [-1, NaN, "soon"])
  try { AbortSignal.timeout(wrong); } catch (error) { text(String(error)); }
