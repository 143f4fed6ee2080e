// A function of a cell that failed sees what a later cell gives the names that its cell never got to.
function total() { return rate * 2; }
const text_of = () => limit;
const rate = await tools.fail("rates");
let limit = 1;
// ---- next cell ----
try { total(); } catch (error) { text(`${error.name}: ${error.message}`); }
text(typeof rate);
try { rate = 1; } catch (error) { text(`${error.name}: ${error.message}`); }
// ---- next cell ----
const rate = 21;
var limit = "later";
text([total(), text_of()]);
// ---- next cell ----
const console = await tools.fail("hides a global, had it a value");
// ---- next cell ----
console.log("still there");
