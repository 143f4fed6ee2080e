let before = "kept";
let early = 1;
// ---- next cell ----
early = 2;
const done = "set";
const data = await tools.fail({ reason: "no" });
let never = 1;
// ---- next cell ----
text([before, early, done]);
try { data; } catch (e) { text(e.name + ": " + e.message); }
try { never; } catch (e) { text(e.name + ": " + e.message); }
const data = "now";
// ---- next cell ----
text(data);
