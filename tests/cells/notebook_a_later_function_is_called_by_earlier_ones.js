function helper() { return 1; }
function main() { return helper() * 10; }
text(main());
// ---- next cell ----
function helper() { return 2; }
// ---- next cell ----
text(main());
