globalThis.answer = 42;
Array.prototype.second = function () { return this[1]; };
// ---- next cell ----
text(answer);
text([1, 2].second());
