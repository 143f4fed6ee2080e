//! Cells that mean harm: each ends as its own error, and the engine goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use carrel_engine::{CallHandle, Effect, Ending, Engine, EngineOptions, Event, Progress, Vm, VmLimits};

use common::{run, start};

fn engine() -> Engine {
    Engine::new(EngineOptions { max_vms: 8, ..EngineOptions::default() }).unwrap()
}

fn ending(engine: &Engine, source: &str) -> (Vec<Effect>, Ending) {
    match run(&mut start(engine, source, VmLimits::default())) {
        (effects, Progress::Ended(ending)) => (effects, ending),
        (_, progress) => panic!("{source}: {progress:?}"),
    }
}

fn text(effects: &[Effect]) -> &str {
    match effects {
        [Effect::Text { text, .. }] => text,
        other => panic!("one text was expected: {other:?}"),
    }
}

fn still_works(engine: &Engine) {
    assert_eq!(text(&ending(engine, "text('fine')").0), "fine");
}

#[test]
fn endless_work_of_every_kind_is_stopped() {
    let engine = engine();
    for source in [
        "while (true) {}",
        "for (;;) { try { throw 1 } catch {} finally { continue } }",
        "const again = () => Promise.resolve().then(again); again(); await new Promise(() => {})",
        "queueMicrotask(function again() { queueMicrotask(again) })",
        "/(a+)+b/.test('a'.repeat(60))",
        "[].join.call({ length: 2 ** 53 - 1 })",
        "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "for (;;) 'x'.repeat(1e6).indexOf('y')",
        "for (;;) new Uint8Array(1e7).fill(1)",
        "let n = 3n; for (;;) n = (n * n) % (2n ** 20000n)",
        "const o = { get x() { return this.x2 }, get x2() { for (;;); } }; o.x",
        "new Proxy({}, { get() { for (;;); } }).x",
        "[1, 2, 3].sort(() => { for (;;); })",
        "JSON.stringify({ toJSON() { for (;;); } })",
        "const o = {}; for (let i = 0; i < 1e4; i++) o[i] = o['k' + i] = i; for (;;) JSON.stringify(o)",
        "function* g() { for (;;) yield 1 } for (const _ of g()) {}",
        "class A { static { for (;;); } }",
        "throw { get message() { for (;;); } }",
    ] {
        let mut vm = start(&engine, source, VmLimits::default());
        let stopper = vm.stopper();
        let running = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&running);
        let stopping = thread::spawn(move || {
            while !seen.load(Ordering::Acquire) {
                thread::yield_now();
            }
            stopper.stop();
        });
        // Preempted once, so that it is known to be in the middle of its work.
        let ticking = engine.clone();
        let ticked = thread::spawn(move || {
            for _ in 0..20 {
                thread::park_timeout(Duration::from_millis(1));
                ticking.tick();
            }
        });
        let first = vm.run();
        assert_eq!(first.progress, Progress::Preempted, "{source}");
        running.store(true, Ordering::Release);
        let (_, progress) = run(&mut vm);
        assert_eq!(progress, Progress::Ended(Ending::Stopped), "{source}");
        stopping.join().unwrap();
        ticked.join().unwrap();
    }
    still_works(&engine);
}

#[test]
fn deep_recursion_is_a_range_error_the_cell_can_catch() {
    let engine = engine();
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
    ] {
        let source = format!("try {{ {recursion}; text('no error') }} catch (e) {{ text(e.name) }}");
        let (effects, ending) = ending(&engine, &source);
        assert_eq!(ending, Ending::Completed(None), "{recursion}");
        assert!(matches!(text(&effects), "RangeError" | "InternalError"), "{recursion}: {}", text(&effects));
    }
}

/// These recurse in C without QuickJS's own check, so the VM's stack ends them: the cell is lost, nothing else.
#[test]
fn deep_recursion_in_c_ends_one_cell() {
    let engine = engine();
    for source in [
        "let list = null; for (let i = 0; i < 4e5; i++) list = { list }; list = null",
        "new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
        "let it = [1].values(); for (let i = 0; i < 1e5; i++) it = it.map((x) => x); it.next()",
    ] {
        let (_, ending) = ending(&engine, source);
        let expected = matches!(
            ending,
            Ending::StackExhausted
                | Ending::Trapped(_)
                | Ending::OutOfMemory(_)
                | Ending::Threw(_)
                | Ending::Completed(None)
        );
        assert!(expected, "{source}: {ending:?}");
    }
    still_works(&engine);
}

#[test]
fn memory_is_an_error_of_the_cell() {
    let engine = engine();
    for source in [
        "const a = []; for (;;) a.push(new Array(1000).fill(1))",
        "let s = 'x'; const all = []; for (;;) all.push(s = s + 'y'.repeat(1000))",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })",
        "const a = []; for (;;) a.push(new Uint8Array(1e6))",
        "for (let o = {}; ; ) o = { o }",
        "const a = []; for (;;) a.push(() => a)",
        "const p = []; for (;;) p.push(tools.echo(1))",
        "for (let i = 0; ; i++) globalThis['x' + i] = i",
        "const a = []; for (;;) a.push(Promise.reject(1))",
    ] {
        let (_, ending) = ending(&engine, source);
        assert!(matches!(ending, Ending::OutOfMemory(_)), "{source}: {ending:?}");
    }
    let caught = "try { new Uint8Array(1e9) } catch (e) { text(e.name) }";
    assert!(matches!(text(&ending(&engine, caught).0), "RangeError" | "InternalError"));
    still_works(&engine);
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let engine = engine();
    let mut vm = start(&engine, "text(await tools.echo(1)); await tools.echo(2)", VmLimits::default());
    let (effects, _) = run(&mut vm);
    let Some(Effect::CallTool { call, .. }) = effects.first() else { panic!("the cell calls") };
    let deliver = |vm: &mut Vm, call, json: &str| {
        vm.deliver(Event::Answered { call, json: json.into(), now_us: 1 });
        run(vm)
    };
    for stray in
        [CallHandle(0), CallHandle(-1), CallHandle(i64::MAX), CallHandle(call.0 + 1), CallHandle(call.0 ^ 1)]
    {
        assert_eq!(deliver(&mut vm, stray, "\"stray\""), (vec![], Progress::Idle));
    }
    vm.deliver(Event::TimerFired { id: 99, now_us: 1 });
    assert_eq!(run(&mut vm), (vec![], Progress::Idle));
    let (effects, _) = deliver(&mut vm, *call, "\"real\"");
    assert_eq!(effects.first(), Some(&Effect::Text { text: "real".into(), level: None }));
    assert_eq!(deliver(&mut vm, *call, "\"again\""), (vec![], Progress::Idle));
}

#[test]
fn an_answer_that_is_not_json_or_too_large_rejects_its_call() {
    let engine = engine();
    let source = "try { await tools.echo(1) } catch (e) { text(e.name) }";
    for (json, error) in
        [("{\"a\":".to_owned(), "SyntaxError"), (format!("\"{}\"", "x".repeat(100 << 20)), "InternalError")]
    {
        let mut vm = start(&engine, source, VmLimits::default());
        let (effects, _) = run(&mut vm);
        let Some(Effect::CallTool { call, .. }) = effects.first() else { panic!("the cell calls") };
        vm.deliver(Event::Answered { call: *call, json: json.into(), now_us: 1 });
        assert_eq!(text(&run(&mut vm).0), error);
    }
}

#[test]
fn the_pool_gives_its_places_back_however_a_vm_ends() {
    let engine = engine();
    for round in 0..40 {
        let mut vms: Vec<_> =
            (0..8).map(|_| start(&engine, "await tools.echo(1)", VmLimits::default())).collect();
        let refused = engine.start(
            carrel_engine::Start {
                source: "1".into(),
                tools: Arc::default(),
                stored: Arc::new(common::Stored::default()),
                quota: carrel_engine::StoreQuota::default(),
                seed: 0,
                now_us: 0,
                time_zone: carrel_engine::TimeZone::default(),
                persistent: false,
            },
            VmLimits::default(),
        );
        assert!(refused.is_err(), "the ninth has no place");
        for (n, vm) in vms.iter_mut().enumerate() {
            if (n + round) % 3 == 0 {
                run(vm);
            } else if (n + round) % 3 == 1 {
                vm.stopper().stop();
                run(vm);
            }
        }
    }
    still_works(&engine);
}
