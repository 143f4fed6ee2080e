// Every object that can be reached from the globals by properties and prototypes; none is the prelude's own.
const seen = new Set();
const wanted = ["emit", "compute", "classOf", "toolIndex", "randomFill", "formDecode", "bytesOf", "defineLazily", "uncurry"];
const found = [];
function visit(value, path) {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value) || value === tools) return;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    const { value: inner, get, set } = Object.getOwnPropertyDescriptor(value, key);
    if (wanted.includes(key)) found.push(`${path}.${String(key)}`);
    visit(inner, `${path}.${String(key)}`);
    visit(get, `${path}.${String(key)}`);
    visit(set, `${path}.${String(key)}`);
  }
  visit(Object.getPrototypeOf(value), `${path}.__proto__`);
}
const made = [new URL("a:b"), new URLSearchParams("a=b"), new TextDecoder(), new TextEncoder(), new AbortController().signal, new Event("x"), crypto, console];
visit(globalThis, "globalThis");
visit(made, "made");
visit(new URLSearchParams("a=b").entries(), "entries");
try { tools.nope; } catch (error) { visit(error, "error"); }
text([found, seen.size > 500]);
