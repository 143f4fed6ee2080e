// Cells without an end, one a paragraph, each named by its first line. crates/engine/tests/stopping.rs stops them;
// `./x bench` measures how long that takes.

// while (true)
while (true) {}

// microtasks
const again = () => Promise.resolve().then(again); again(); await new Promise(() => {})

// queueMicrotask
queueMicrotask(function again() { queueMicrotask(again) }); await new Promise(() => {})

// await in a loop
for (;;) await null

// thenables
const then = { then(resolve) { resolve(then) } }; await then

// catch-all with finally
for (;;) { try { throw 1 } catch {} finally { continue } }

// catching what stops it
const f = () => { try { for (;;) f() } catch { f() } finally { f() } }; for (;;) try { f() } catch {}

// regular expression, backtracking
/(a+)+b/.test('a'.repeat(60))

// regular expression, look-behind
/(?<!(a|b)*)c/.exec('ab'.repeat(5e5))

// regular expression, ignoring case
/^(?:(?:é|x)+y?)*z/iu.test('éx'.repeat(40))

// matchAll
for (;;) for (const m of 'ab'.repeat(1e5).matchAll(/a(?=b)/g));

// replaceAll with a callback
for (;;) 'a'.repeat(1e5).replaceAll('a', () => 'b')

// replace with a long pattern
for (;;) 'a'.repeat(1e6).replace('a'.repeat(5e5) + 'b', '')

// join of a sparse array
[].join.call({ length: 2 ** 53 - 1 })

// indexOf of an array-like
Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)

// lastIndexOf of an array-like
Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)

// includes of an array-like
Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)

// fill of an array-like
Array.prototype.fill.call(new Proxy({ length: 2 ** 53 - 1 }, { set: () => true }), 1)

// reverse of an array-like
Array.prototype.reverse.call({ length: 2 ** 53 - 1 })

// copyWithin of an array-like
Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1)

// splice of an array-like
Array.prototype.splice.call({ length: 2 ** 53 - 1 }, 0, 1)

// at the beginning of a long array
const a = new Array(1e5).fill(0); for (;;) { a.unshift(1); a.shift() }

// flat
const a = [1]; let b = a; for (let i = 0; i < 25; i++) b = [b, b]; for (;;) try { b.flat(Infinity) } catch {}

// concat
const a = new Array(1e5).fill(1); for (;;) [].concat(a, a, a)

// new Array(n).fill
for (;;) new Array(1e6).fill(1)

// spread
const a = new Array(5e4).fill(1); for (;;) Math.max(...[...a])

// indexOf of a string
const s = 'a'.repeat(1e7); for (;;) s.indexOf('ab')

// repeat
for (;;) 'x'.repeat(2e7)

// string building
for (;;) { let s = ''; for (let i = 0; i < 1e5; i++) s += 'a' }

// flattening a rope
for (;;) { let s = 'a'; for (let i = 0; i < 24; i++) s = s + s; s.charCodeAt(0) }

// split and join
for (;;) 'a,'.repeat(2e5).split(',').join(';')

// normalize
const s = '\u0344'.repeat(1e6); for (;;) s.normalize('NFD')

// localeCompare
const s = 'e\u0301'.repeat(1e6); for (;;) s.localeCompare(s + 'a')

// toUpperCase
const s = 'ß'.repeat(2e6); for (;;) s.toUpperCase()

// encodeURIComponent
const s = 'é'.repeat(1e6); for (;;) decodeURIComponent(encodeURIComponent(s))

// isWellFormed
const s = '\u1234'.repeat(1e7); for (;;) s.isWellFormed()

// typed array: fill
const a = new Uint8Array(5e7); for (;;) a.fill(1)

// typed array: set and copyWithin
const a = new Float64Array(3e6); for (;;) { a.set(a.subarray(1)); a.copyWithin(1, 0) }

// typed array: sort
const a = new Float64Array(4e6).map((_, i) => (i * 7919) % 1e6); for (;;) { a.sort(); a.reverse() }

// typed array: map
const a = new Uint8Array(1e6); for (;;) a.map((x) => x + 1)

// typed array: made
for (;;) new Uint8Array(5e7)

// typed array: indexOf
const a = new Float32Array(1e7); for (;;) a.indexOf(1)

// typed array: from an array
const a = new Array(1e6).fill(1.5); for (;;) new Float64Array(a)

// ArrayBuffer slice
const b = new ArrayBuffer(2e7); for (;;) b.slice(1)

// BigInt powers
for (;;) 3n ** 400000n

// BigInt multiplication
let n = 3n; for (;;) n = (n * n) % (2n ** 20000n)

// BigInt to text
const n = 3n ** 300000n; for (;;) n.toString()

// BigInt from text
const s = '7'.repeat(1e5); for (;;) BigInt(s)

// getters
const o = { get x() { return this.y }, get y() { for (;;); } }; o.x

// proxies
new Proxy({}, { get() { for (;;); } }).x

// a chain of proxies
let p = {}; for (let i = 0; i < 1000; i++) p = new Proxy(p, {}); for (;;) p.x

// a proxy's keys
const keys = Array.from({ length: 1e5 }, (_, i) => 'k' + i); const p = new Proxy({}, { ownKeys: () => keys }); for (;;) Reflect.ownKeys(p)

// a cycle of prototypes
const p = new Proxy({}, { getPrototypeOf: () => p }); ({}).isPrototypeOf.call({}, p); p instanceof Array

// conversion
`${{ toString() { for (;;); } }}`

// sort comparators
[1, 2, 3].sort(() => { for (;;); })

// sort
const a = Array.from({ length: 2e5 }, (_, i) => (i * 7919) % 200003); for (;;) { a.sort((x, y) => x - y); a.sort((x, y) => y - x) }

// sort of strings
const a = Array.from({ length: 2e5 }, (_, i) => 'k' + ((i * 7919) % 200003)); for (;;) { a.sort(); a.reverse() }

// Map and Set
for (;;) { const m = new Map(), s = new Set(); for (let i = 0; i < 1e5; i++) { m.set(i, i); s.add('k' + i) } }

// a Map that grows while it is walked
const m = new Map([[0, 0]]); for (const [k] of m) { m.delete(k); m.set(k + 1, 0) }

// Set operations
const s = new Set(Array.from({ length: 1e5 }, (_, i) => i)); for (;;) s.union(s).intersection(s).isSubsetOf(s)

// groupBy
const a = new Array(1e5).fill(1); for (;;) Object.groupBy(a, (_, i) => i % 1000)

// objects
for (;;) { const o = {}; for (let i = 0; i < 1e4; i++) o['k' + i] = i; for (const k in o) delete o[k] }

// Object.entries
const o = Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => ['k' + i, i])); for (;;) Object.fromEntries(Object.entries({ ...o }))

// JSON.parse of deep nesting
const s = '['.repeat(5000) + ']'.repeat(5000); for (;;) JSON.parse(s)

// JSON.parse of a long text
const s = '[' + '{"a":[1.5,"x"]},'.repeat(1e5) + '1]'; for (;;) JSON.parse(s)

// JSON.stringify of a huge graph
const o = {}; for (let i = 0; i < 1e4; i++) o[i] = o['k' + i] = i; for (;;) JSON.stringify(o)

// JSON.stringify of a shared graph
let d = { x: 1 }; for (let i = 0; i < 18; i++) d = { a: d, b: d }; for (;;) JSON.stringify(d)

// toJSON
JSON.stringify({ toJSON() { for (;;); } })

// a reviver
JSON.parse('[1]', () => { for (;;); })

// generators
function* g() { for (;;) yield 1 } for (const _ of g());

// async generators
async function* g() { for (;;) yield 1 } for await (const _ of g());

// Array.from an iterator
Array.from({ [Symbol.iterator]: () => ({ next() { for (;;); } }) })

// iterator helpers
function* g() { for (;;) yield 1 } g().map((x) => x + 1).filter((x) => x > 5).next()

// a chain of iterator helpers
function* g() { for (;;) yield 1 } let it = g(); for (let i = 0; i < 500; i++) it = it.filter(() => true); it.forEach(() => {})

// destructuring
const [a, ...b] = { [Symbol.iterator]: () => ({ next: () => { for (;;); } }) }

// Date parsing
for (;;) Date.parse('Tue, 06 Oct 2026 10:11:12 GMT')

// Date formatting
const d = new Date(0); for (;;) d.toISOString() + d.toString()

// numbers to text
for (;;) (Math.random() * 1e300).toString(7) + (0.1).toFixed(100)

// eval
for (;;) eval('(' + '[1,'.repeat(200) + ']'.repeat(200) + ')')

// new Function
for (;;) new Function('a', 'b', 'return a + b')(1, 2)

// recursion
const f = (n) => (n ? f(n - 1) + f(n - 1) : 1); f(60)

// errors with stacks
const f = (n) => (n ? f(n - 1) : new Error('x').stack); for (;;) f(500)

// freeing a long list
for (;;) { let list = null; for (let i = 0; i < 2e5; i++) list = { list }; list = null }

// collecting garbage
const keep = Array.from({ length: 1e5 }, (_, i) => ({ i })); for (;;) { const a = {}, b = { a }; a.b = b }

// running out of memory and catching it
for (;;) try { const a = []; for (;;) a.push({}) } catch {}

// printing
for (;;) text('x')

// a thrown value that is described
throw { get message() { for (;;); } }

// a result that is described
export default { toJSON() { for (;;); } }

// the input of a tool
tools.echo({ toJSON() { for (;;); } })

// base64
const s = 'a'.repeat(1e6); for (;;) atob(btoa(s))

// a static block
class A { static { for (;;); } }

// labels
outer: for (;;) for (;;) continue outer
