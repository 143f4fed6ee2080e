for (const method of [() => URL.prototype.href, () => URLSearchParams.prototype.get.call({}, "a"), () => TextDecoder.prototype.decode.call({}), () => AbortSignal.prototype.aborted, () => new AbortSignal(), () => URL("a:b")])
  try { method(); text("no error"); } catch (error) { text(error.name); }
