let data = [1, 2, 3];
// ---- next cell ----
let data = await tools.fail({});
// ---- next cell ----
text(data);
