const text = "a name that hides one";
globalThis.text(text.length);
// ---- next cell ----
globalThis.text(typeof text);
const text = globalThis.text;
// ---- next cell ----
text("back");
