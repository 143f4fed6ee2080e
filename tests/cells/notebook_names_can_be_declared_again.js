const limit = 1;
let name = "first";
function greet() { return "hello " + name; }
class Shape { area() { return 0; } }
// ---- next cell ----
const limit = 2;
let name = "second";
class Shape { area() { return 4; } }
text([limit, name, greet(), new Shape().area()]);
// ---- next cell ----
function greet() { return "good day " + name; }
var limit = limit + 1;
text([limit, greet()]);
// ---- next cell ----
limit = 10;
const { name, age = 7 } = { name: "third" };
text([limit, name, age, greet()]);
