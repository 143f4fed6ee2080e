Promise.reject(new Error("first"));
// ---- next cell ----
text("nothing of it here");
