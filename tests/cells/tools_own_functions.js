// They are there beside the tools, and are none.
text([typeof tools.$search, typeof tools.$describe, tools.$search.name, tools.$search === tools.$search]);
text(["$search" in tools, "$describe" in tools, Object.keys(tools).includes("$search"), Object.getOwnPropertyDescriptor(tools, "$search")]);
text(String(tools.$search));
try { tools.$search = 1; } catch (e) { text(e.name); }
try { new tools.$search("a"); } catch (e) { text(e.name); }
// What a cell replaces is its own business: it reaches nothing of the host's.
const seen = [];
Array.isArray = Number.isInteger = Reflect.ownKeys = String.prototype.trim = function (...args) { seen.push(typeof this); return true; };
text(await tools.$search("a", { limit: 2 }));
text(await tools.$describe(["echo"]));
text(seen);
