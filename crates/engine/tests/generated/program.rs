//! Programs made of what models write: objects and closures, tools and timers, collections, text, errors, chance, time.
//!
//! Every program parses and comes to an end, if what it waits for does. What it does on the way may well throw: each
//! statement catches its own errors and prints them.

use std::fmt::Write;

use crate::rng::Rng;

const VARIABLES: &[&str] = &["a", "b", "c", "d", "e"];
const PREAMBLE: &str = "\
let a = 1, b = 'two', c = [3, 1, 2], d = { x: 4 }, e = new Map([['k', 5]]);
const pending = [], timers = [];
const show = (v) => { try { return v instanceof Map || v instanceof Set ? JSON.stringify([...v]) : typeof v === 'function' ? 'f' : JSON.stringify(v) ?? String(v) } catch (x) { return x.name } };
const short = (v) => { const s = show(v); return s.length > 60 ? s.slice(0, 60) + s.length : s };
class Point { #x; constructor(x) { this.#x = x } get x() { return this.#x } *[Symbol.iterator]() { yield this.#x; yield* [1, 2] } toJSON() { return { x: this.#x } } }
function* count(n) { for (let i = 0; i < n; i++) yield i }
const counter = (n) => { let i = n; return () => ++i };
";
const CLOSING: &str = "\
for (const id of timers) clearInterval(id);
text(short((await Promise.allSettled(pending)).map((p) => p.status[0])));
text(short([a, b, c, d, e]));
";

pub(crate) fn program(rng: &mut Rng) -> String {
    let mut source = PREAMBLE.to_owned();
    for _ in 0..4 + rng.below(14) {
        statement(rng, &mut source, 0, true);
    }
    source.push_str(CLOSING);
    if rng.one_in(4) {
        writeln!(source, "export default {};", expression(rng, 0)).unwrap();
    } else if rng.one_in(10) {
        source.push_str("throw new RangeError('the end', { cause: short(a) });\n");
    }
    source
}

/// Writes a statement; one in a callback cannot `await`.
fn statement(rng: &mut Rng, out: &mut String, depth: usize, awaits: bool) {
    let variable = *rng.pick(VARIABLES);
    let value = expression(rng, 0);
    let tool = *rng.pick(&["echo", "later", "fail"]);
    let kind = rng.below(if depth < 2 { 16 } else { 9 });
    out.push_str("try { ");
    match kind {
        0 | 1 => write!(out, "{variable} = {value};"),
        2 | 3 => write!(out, "text(short({value}));"),
        4 if awaits => write!(out, "{variable} = await tools.{tool}({value});"),
        4 | 5 => write!(
            out,
            "pending.push(tools.{tool}({value}).then((v) => {{ {variable} = v; text(short(v)) }}, (x) => {{ text(`${{x.name}} ${{x.code}}`); throw x }}));"
        ),
        6 => write!(out, "store('{variable}', {value}); text(short(load('{variable}')));"),
        7 => write!(out, "console.log({value}, new Date().toISOString(), Math.random());"),
        8 => write!(out, "queueMicrotask(() => {{ {variable} = {value} }});"),
        9 => {
            write!(out, "for (let i = 0; i < {}; i++) {{ ", 1 + rng.below(4)).unwrap();
            block(rng, out, depth, awaits);
            write!(out, "}}")
        }
        10 => {
            write!(out, "if ({value}) {{ ").unwrap();
            block(rng, out, depth, awaits);
            write!(out, "}} else {{ ").unwrap();
            block(rng, out, depth, awaits);
            write!(out, "}}")
        }
        11 => {
            out.push_str("pending.push((async () => { ");
            block(rng, out, depth, true);
            write!(out, "return {value} }})());")
        }
        12 => {
            out.push_str("setTimeout((x) => { ");
            block(rng, out, depth, false);
            write!(out, "}}, {}, 7);", rng.below(50))
        }
        13 => {
            write!(out, "{{ let n = {}; const id = setInterval(() => {{ ", 1 + rng.below(3)).unwrap();
            block(rng, out, depth, false);
            write!(out, "if (!--n) clearInterval(id) }}, {}); timers.push(id) }}", rng.below(20))
        }
        14 if awaits => write!(
            out,
            "{variable} = await Promise.{}([tools.later({value}), tools.{tool}(1), new Promise((r) => setTimeout(r, {}, 'late'))]);",
            rng.pick(&["all", "race", "any", "allSettled"]),
            rng.below(30)
        ),
        _ => {
            out.push_str("try { ");
            block(rng, out, depth, awaits);
            write!(out, "}} finally {{ {variable} = {value} }}")
        }
    }
    .unwrap();
    out.push_str(" } catch (x) { text(`${x.name}: ${x.message}`.slice(0, 80)) }\n");
}

fn block(rng: &mut Rng, out: &mut String, depth: usize, awaits: bool) {
    for _ in 0..1 + rng.below(2) {
        statement(rng, out, depth + 1, awaits);
    }
}

fn expression(rng: &mut Rng, depth: usize) -> String {
    if depth > 2 || rng.one_in(4) {
        return match rng.below(8) {
            0 => (*rng.pick(&["0", "-0", "1.5", "1e21", "NaN", "42", "2 ** 53"])).to_owned(),
            1 => (*rng.pick(&["''", "'text'", "'äöü😀'", "'a,b,c'", "'x'.repeat(300)", "'\\ud800'"]))
                .to_owned(),
            2 => (*rng.pick(&["null", "undefined", "true", "10n", "Symbol('s')"])).to_owned(),
            3 => (*rng.pick(&["Math.random()", "Date.now()", "new Date(0)", "performance.now()"])).to_owned(),
            _ => (*rng.pick(VARIABLES)).to_owned(),
        };
    }
    let (x, y) = (expression(rng, depth + 1), expression(rng, depth + 1));
    match rng.below(22) {
        0 => format!("({x} + {y})"),
        1 => format!("({x} {} {y})", rng.pick(&["-", "*", "%", "<", "===", "??", "&&", "||", ">>>", "in"])),
        2 => format!("[{x}, ...[{y}]]"),
        3 => format!("({{ p: {x}, ['q' + {y}]: 1, get r() {{ return 2 }} }})"),
        4 => format!("({{ ...{x}, z: {y} }})"),
        5 => format!("[].concat({x}, {y}).sort()"),
        6 => format!("[{x}, {y}, 3, 1].sort((m, n) => (short(m) < short(n) ? -1 : 1))"),
        7 => format!("new Map([[{x}, {y}], [1, 2]])"),
        8 => format!("new Set([{x}, {y}, {x}])"),
        9 => format!("[...new Set([{x}, {y}])].map((v) => short(v))"),
        10 => format!("JSON.parse(short({x}) && JSON.stringify({{ v: {y} }}))"),
        11 => format!("String({x}).replace(/([a-z])(\\d*)/g, (_, m, n) => n + m.toUpperCase())"),
        12 => format!("[...String({x}).matchAll(/./gsu)].length"),
        13 => format!("String({x}).split(/[,.]/).toSorted().join(String({y}))"),
        14 => format!("`${{short({x})}}|${{{y}}}`"),
        15 => format!("((m, {{ p = 1 }} = {{}}) => [m, p, {y}])({x})"),
        16 => format!("[...count({}), ...new Point({x})]", rng.below(5)),
        17 => "[counter(1), counter(2)].map((f) => f() + f())".to_owned(),
        18 => format!("Object.entries(Object({x})).length"),
        19 => format!("Object.groupBy([1, 2, 3], (v) => short(v % 2 ? {x} : {y}))"),
        20 => format!("new Error(short({x}), {{ cause: {y} }}).message"),
        _ => format!("Uint8Array.from([1, 2, 3], (v) => v * Number({x})).join()"),
    }
}
