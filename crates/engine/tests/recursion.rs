//! Depth of every kind is an error that the cell can catch, or nothing at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use carrel_engine::{Ending, Engine, EngineOptions, VmLimits};

use common::{ending, text};

#[test]
fn deep_recursion_is_a_range_error_the_cell_can_catch() {
    let engine = Engine::new(EngineOptions { max_vms: 1, ..EngineOptions::default() }).unwrap();
    for recursion in [
        "const f = () => f() + 1; f()",
        "function f(...rest) { return f(...rest, 1) } f()",
        "const o = { toString() { return '' + this } }; '' + o",
        "const o = { get x() { return this.x } }; o.x",
        "const f = () => [1].map(f); f()",
        "const f = () => [2, 1].sort(f); f()",
        "const f = () => 'a'.replace('a', f); f()",
        "class A { constructor() { new A() } } new A()",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x",
        "const f = () => Reflect.apply(f, null, []); f()",
        "const f = () => JSON.stringify({ toJSON: f }); f()",
        "const f = () => JSON.parse('[1]', f); f()",
        "function* g() { yield* g() } [...g()]",
        "const f = (s) => eval('f(s)'); f(1)",
        "const f = () => `${{ toString: f }}`; f()",
        "JSON.parse('['.repeat(1e6) + ']'.repeat(1e6))",
        "JSON.parse('{\"a\":'.repeat(1e5))",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a)",
        "let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; JSON.stringify(a)",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; text(a)",
        "eval('('.repeat(1e5))",
        "eval('['.repeat(1e5))",
        "eval('-'.repeat(1e5) + 1)",
        "eval('`${'.repeat(1e5))",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.map((x) => x); it.next()",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.filter(() => true); it.next()",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.flatMap((x) => [x]); it.next()",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.take(5); it.next()",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.take(5); it.return()",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.drop(0); it.next()",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = Iterator.from({ next: it.next.bind(it) }); it.next()",
        "let f = () => 1; for (let i = 0; i < 3000; i++) f = f.bind(null); f()",
        "let a = [1]; for (let i = 0; i < 1e5; i++) a = [a]; a.flat(Infinity)",
        "const a = []; a[0] = a; a.flat(Infinity)",
        "let a = [1]; for (let i = 0; i < 1e5; i++) a = [a]; String(a)",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); 'x' in p",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); delete p.x",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x = 1",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); Object.keys(p)",
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); Object.defineProperty(p, 'x', {})",
        "let p = () => 1; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p()",
        "let p = class {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); new p()",
        "const p = {}; Object.setPrototypeOf(p, new Proxy(p, {})); p.x",
        "const p = new Proxy({}, { has: (_, k) => k in p }); 'x' in p",
        "const p = new Proxy({}, { ownKeys: () => Reflect.ownKeys(p) }); Object.keys(p)",
        "const o = { [Symbol.toPrimitive]() { return +this } }; +o",
        "const s = { [Symbol.split](x) { return x.split(this) } }; 'a'.split(s)",
        "const r = /a/g; r.exec = function (s) { return RegExp.prototype.test.call(this, s) }; r.test('a')",
        "const d = new Date(0); d.toISOString = () => JSON.stringify(d); JSON.stringify(d)",
        "async function* g() { yield* g() } await g().next()",
        "eval('{'.repeat(1e5))",
        "eval('()=>{'.repeat(1e5))",
        "eval('a=>'.repeat(1e5) + '1')",
        "eval('1?1:'.repeat(1e5) + '1')",
        "eval('a='.repeat(1e5) + '1')",
        "eval('a**'.repeat(1e5) + '1')",
        "eval('new '.repeat(1e5) + 'a')",
        "eval('class A{static{'.repeat(1e5))",
        "eval('class A{x=class{x='.repeat(1e5))",
        "eval('if(1)'.repeat(1e5) + '1')",
        "eval('try{'.repeat(1e5))",
        "eval('switch(1){case 1:'.repeat(1e5))",
        "eval('(function*(){' + 'yield '.repeat(1e5) + '1})')",
        "eval('(a='.repeat(1e5))",
        "eval('import('.repeat(1e5))",
    ] {
        let source = format!("try {{ {recursion}; text('no error') }} catch (e) {{ text(e.name) }}");
        let (effects, ending) = ending(&engine, &source, VmLimits::default());
        assert_eq!(ending, Ending::Completed(None), "{recursion}");
        assert!(matches!(text(&effects), "RangeError" | "InternalError"), "{recursion}: {}", text(&effects));
    }
}

/// Regular expressions say it in their own way.
#[test]
fn deep_regular_expressions_are_errors_the_cell_can_catch() {
    let engine = Engine::new(EngineOptions { max_vms: 1, ..EngineOptions::default() }).unwrap();
    for (expression, name) in [
        ("new RegExp('('.repeat(1e5) + ')'.repeat(1e5))", "SyntaxError"),
        ("new RegExp('(?:'.repeat(1e5) + ')'.repeat(1e5))", "SyntaxError"),
        ("new RegExp('(?='.repeat(1e5) + ')'.repeat(1e5))", "SyntaxError"),
        ("new RegExp('['.repeat(1e5) + ']'.repeat(1e5), 'v')", "SyntaxError"),
        ("/(a|ab|b)*$/.exec('ab'.repeat(1e6))", "InternalError"),
    ] {
        let source = format!("try {{ {expression}; text('no error') }} catch (e) {{ text(e.name) }}");
        let (effects, ending) = ending(&engine, &source, VmLimits::default());
        assert_eq!((text(&effects), ending), (name, Ending::Completed(None)), "{expression}");
    }
}

/// What is let go is taken apart step by step, however deep it is.
#[test]
fn long_chains_are_let_go() {
    let engine = Engine::new(EngineOptions { max_vms: 1, ..EngineOptions::default() }).unwrap();
    let limits = VmLimits { memory_bytes: 512 << 20, ..VmLimits::default() };
    for chain in [
        "let c = null; for (let i = 0; i < 2e6; i++) c = { c }",
        "let c = null; for (let i = 0; i < 5e5; i++) c = [c]",
        "let c = null; for (let i = 0; i < 1e6; i++) { const d = c; c = () => d }",
        "let c = Promise.resolve(); for (let i = 0; i < 2e5; i++) c = c.then(() => 1)",
        "let c = 1; const f = async (x) => { await new Promise(() => {}); x }; for (let i = 0; i < 1e5; i++) c = f(c)",
        "let c = null; for (let i = 0; i < 2e5; i++) c = new Map([[1, c]])",
        "let c = null; for (let i = 0; i < 2e5; i++) c = new WeakMap([[{}, c]])",
        "let c = null; for (let i = 0; i < 2e5; i++) c = new Set([c]).values()",
        "let c = null; function* g(x) { yield x } for (let i = 0; i < 2e5; i++) { const d = g(c); d.next(); c = d }",
        "let c = [1].values(); for (let i = 0; i < 1e5; i++) c = c.map((x) => x)",
        "let c = {}; for (let i = 0; i < 2e5; i++) c = Object.create(c)",
        "let c = {}; for (let i = 0; i < 2e5; i++) c = new Proxy(c, {})",
        "let c = new Uint8Array(8); for (let i = 0; i < 2e5; i++) c = c.subarray(0)",
        "let c = null; for (let i = 0; i < 2e5; i++) c = new Error('x', { cause: c })",
        "let c = ''; for (let i = 0; i < 5e5; i++) c = 'a' + c",
    ] {
        let source = format!("{chain}; c = null; text('let go')");
        let (effects, ending) = ending(&engine, &source, limits);
        assert_eq!(ending, Ending::Completed(None), "{chain}");
        assert_eq!(text(&effects), "let go", "{chain}");
    }
}
