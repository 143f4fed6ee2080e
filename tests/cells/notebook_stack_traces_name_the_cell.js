function divide(a, b) {
  if (b === 0) throw new RangeError("division by zero");
  return a / b;
}
// ---- next cell ----
try { divide(1, 0); } catch (e) { text(e.stack); }
// ---- next cell ----

divide(1, 0);
// ---- next cell ----
let x = 1;
  let y = = 2;
