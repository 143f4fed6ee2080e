store("mine", 1);
text(load("mine"));
// ---- next cell ----
text(load("mine") === undefined);
text(load("kept"));
