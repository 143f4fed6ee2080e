const first = new AbortController();
const second = new AbortController();
const any = AbortSignal.any([first.signal, second.signal]);
const nested = AbortSignal.any([any]);
nested.onabort = () => text(`nested hears when any is aborted: ${any.aborted}`);
second.abort("stop");
first.abort("late");
text([any.aborted, any.reason, nested.reason, AbortSignal.any([first.signal]).aborted, AbortSignal.any([]).aborted]);
for (const wrong of [[1], 1])
  try { AbortSignal.any(wrong); } catch (error) { text(error.name); }
