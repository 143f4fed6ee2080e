//! Memory that is out is the cell's own error, which it can catch, and its ending says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::sync::Arc;

use carrel_engine::{Effect, Ending, Engine, EngineOptions, Event, Progress, Snapshot, VmLimits};

use common::{Stored, ending, run, start, text};

const SMALL: VmLimits = VmLimits { memory_bytes: 16 << 20, cpu_time: std::time::Duration::from_secs(600) };

fn engine() -> Engine {
    Engine::new(EngineOptions { max_vms: 2, ..EngineOptions::default() }).unwrap()
}

#[test]
fn a_bomb_of_every_kind_ends_its_cell_alone() {
    let engine = engine();
    for bomb in [
        "const a = []; for (;;) a.push({})",
        "let a = []; for (;;) a = [a]",
        "const a = []; for (;;) a.push(new Array(1000).fill(1))",
        "for (let o = {}; ; ) o = { o }",
        "new Array(1e8).fill(1)",
        "Array.from({ length: 1e9 })",
        "[...new Array(1e7)]",
        "Object.fromEntries(Array.from({ length: 1e6 }, (_, i) => [i + 'k', i]))",
        "for (let i = 0; ; i++) globalThis['x' + i] = i",
        "for (;;) globalThis[Symbol()] = 1",
        "for (let s = 'x'; ; ) s += s.slice(1) + 'yy'",
        "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1e5) + i)",
        "'a'.padEnd(5e8)",
        "'ab'.repeat(1e6).replace(/a/g, '$&'.repeat(1000))",
        "'x'.repeat(1e6).split('')",
        "'\\u0344'.repeat(2e6).normalize('NFD')",
        "const a = []; for (;;) a.push(new Uint8Array(1e6))",
        "const a = []; for (;;) a.push(new ArrayBuffer(1e6))",
        "const b = new ArrayBuffer(0, { maxByteLength: 1e9 }); b.resize(1e9)",
        "new Uint8Array(1e7).toString()",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })",
        "const s = new Set(); for (;;) s.add({})",
        "const w = new WeakMap(), a = []; for (;;) { const o = {}; a.push(o); w.set(o, o) }",
        "const a = []; for (;;) a.push(() => a)",
        "class A {} let C = A; for (;;) C = class extends C {}",
        "const a = []; for (let i = 0; ; i++) a.push(new Function('return ' + i))",
        "const p = []; for (;;) p.push(tools.echo(1))",
        "const a = []; for (;;) a.push(Promise.reject(1))",
        "let c = Promise.resolve(); for (;;) c = c.then(() => 1)",
        "const a = []; for (;;) a.push(Promise.all([1, 2, 3]))",
        "const f = async () => { await f() }; const all = []; for (;;) all.push(f())",
        "const f = async () => { await null; await f() }; await f()",
        "queueMicrotask(function f() { queueMicrotask(f); queueMicrotask(f) }); await new Promise(() => {})",
        "for (;;) setTimeout(() => {}, 1)",
        "const a = []; for (;;) a.push(/a/g.exec('a'))",
        "JSON.parse('[' + '{\"a\":[1]},'.repeat(5e5) + '1]')",
        "let d = { x: 1 }; for (let i = 0; i < 24; i++) d = { a: d, b: d }; JSON.stringify(d)",
        "const a = []; for (let i = 1n; ; i *= 3n) a.push(i)",
        "for (const e = []; ;) try { throw new Error('x') } catch (x) { e.push(x) }",
        "store('a', 'x'.repeat(1e7))",
        "throw 'x'.repeat(1.5e7)",
        "throw new Error('x'.repeat(1e7))",
        "export default 'x'.repeat(1.5e7)",
    ] {
        let (_, ending) = ending(&engine, bomb, SMALL);
        assert!(matches!(ending, Ending::OutOfMemory(_)), "{bomb}: {ending:?}");
        if let Ending::OutOfMemory(Some(error)) = ending {
            // The message may be what there was no memory for.
            assert_eq!(error.name, "InternalError", "{bomb}");
        }
    }
    assert_eq!(text(&ending(&engine, "text('fine')", SMALL).0), "fine");
}

/// These are refused before any memory is taken.
#[test]
fn what_could_never_fit_is_an_error_with_a_name() {
    let engine = engine();
    for (asked, name) in [
        ("new Uint8Array(1e10)", "RangeError"),
        ("new Uint8Array(1e9)", "InternalError"),
        ("'x'.repeat(2 ** 30)", "RangeError"),
        ("new Array(-1)", "RangeError"),
        ("let s = 'ab'; for (;;) s += s", "InternalError"),
        ("let n = 2n; for (;;) n *= n", "RangeError"),
        ("Math.max(...new Array(1e5))", "RangeError"),
        ("String.fromCharCode.apply(null, new Array(1e5))", "RangeError"),
    ] {
        let source = format!("try {{ {asked}; text('no error') }} catch (e) {{ text(e.name) }}");
        let (effects, ending) = ending(&engine, &source, VmLimits::default());
        assert_eq!((text(&effects), ending), (name, Ending::Completed(None)), "{asked}");
    }
}

const FILL: &str = "const all = []; try { for (;;) all.push([]) } catch (e) {";

#[test]
fn an_error_that_was_caught_is_the_cells_to_do_with_as_it_likes() {
    let engine = engine();
    let after = |catch: &str| ending(&engine, &format!("{FILL} all.length = 0; {catch} }}"), SMALL);

    let (effects, ended) = after("text(`${e instanceof InternalError} ${e.message}`)");
    assert_eq!((text(&effects), ended), ("true out of memory", Ending::Completed(None)));
    assert!(matches!(after("throw e").1, Ending::OutOfMemory(Some(_))));
    // Not the error that says so, whatever it is called.
    for other in ["null", "undefined", "new InternalError('out of memory')", "new Error('x', { cause: e })"] {
        let ended = after(&format!("throw {other}")).1;
        assert!(matches!(ended, Ending::Threw(_)), "{other}: {ended:?}");
    }
    assert_eq!(after("exit()").1, Ending::Exited);
    // What would have settled it may be what memory was out for.
    assert!(matches!(after("await new Promise(() => {})").1, Ending::OutOfMemory(None)));
}

/// That memory was out once is part of the VM, not of the host's side of it.
#[test]
fn a_restored_vm_ends_as_the_one_that_ran_on() {
    let engine = engine();
    for (last, out_of_memory) in
        [("throw null", false), ("throw e", true), ("await new Promise(() => {})", true)]
    {
        let source = format!("{FILL} all.length = 0; await tools.echo(); {last} }}");
        let mut vm = start(&engine, &source, SMALL);
        let (effects, progress) = run(&mut vm);
        assert_eq!(progress, Progress::Idle);
        let [Effect::CallTool { call, .. }] = effects.as_slice() else { panic!("one call: {effects:?}") };
        let saved = Snapshot::from_bytes(&vm.snapshot().unwrap().to_bytes()).unwrap();
        let mut restored = engine.restore(&saved, Arc::new(Stored::default()), SMALL).unwrap();
        let answer = Event::Answered { call: *call, json: "null".into(), now_us: 1 };
        vm.deliver(answer.clone());
        restored.deliver(answer);
        let ended = run(&mut vm);
        assert_eq!(matches!(ended.1, Progress::Ended(Ending::OutOfMemory(_))), out_of_memory, "{last}");
        assert_eq!(run(&mut restored), ended, "{last}");
    }
}
