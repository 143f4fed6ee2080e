let kept = 1;
// ---- next cell ----
let kept = ;
// ---- next cell ----
text(kept);
