const rate = 1.25;
let count = 0;
var total = 10;
function add(n) { count += n; return count; }
class Point { constructor(x) { this.x = x; } }
async function fetched(x) { return (await tools.echo({ x })).x; }
// ---- next cell ----
text([rate, count, total, add(2), count, new Point(3).x, await fetched(4)]);
count = 40;
text(add(2));
// ---- next cell ----
text([count, typeof rate, typeof nothing, typeof Point]);
text(globalThis.count === undefined);
