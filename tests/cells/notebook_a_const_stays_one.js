const fixed = 1;
// ---- next cell ----
try { fixed = 2; } catch (e) { text(e.name + ": " + e.message); }
text(fixed);
// ---- next cell ----
let fixed = 3;
// ---- next cell ----
fixed = 4;
text(fixed);
