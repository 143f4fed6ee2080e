//! Figures of the engine alone, and beside them those of native QuickJS-NG.

use std::sync::Arc;
use std::time::Duration;

use carrel_engine::{
    Effect, Engine, EngineOptions, Event, NothingStored, Progress, Snapshot, Start, StoreQuota, TimeZone,
    Tools, Vm, VmLimits,
};

use crate::native;
use crate::table::{Table, median, medians, milliseconds};

const LIMITS: VmLimits = VmLimits { memory_bytes: 256 << 20, cpu_time: Duration::MAX };

fn start(engine: &Engine, source: &str) -> Vm {
    let start = Start {
        source: source.to_owned(),
        tools: Arc::new(Tools::new([("echo", "")])),
        stored: Arc::new(NothingStored),
        quota: StoreQuota::default(),
        seed: 1,
        now_us: 0,
        time_zone: TimeZone::default(),
        dialect: carrel_engine::Dialect::default(),
        persistent: false,
    };
    engine.start(start, LIMITS).expect("a VM can be made")
}

fn run_to_end(engine: &Engine, source: &str) {
    let mut vm = start(engine, source);
    let turn = vm.run();
    assert!(matches!(turn.progress, Progress::Ended(_)), "{:?}", turn.progress);
}

const AWAITS: u32 = 100_000;

fn awaiting(value: &str) -> String {
    format!("for (let i = 0; i < {AWAITS}; i++) await {value}")
}

/// Runs a cell that waits for one call at a time, each of which is answered with `json`.
fn answer_to_end(engine: &Engine, source: &str, json: &str) {
    let json: Arc<str> = json.into();
    let mut vm = start(engine, source);
    let mut turn = vm.run();
    while let Some(Effect::CallTool { call, .. }) = turn.effects.pop() {
        vm.deliver(Event::Answered { call, json: Arc::clone(&json), now_us: 1 });
        turn = vm.run();
    }
    assert!(matches!(turn.progress, Progress::Ended(_)), "{:?}", turn.progress);
}

/// What programs do, each with its goal. Making the VM is part of the figure, and none of it: 0.01 ms.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("fib(27)", "30 ms", "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } fib(27)"),
    (
        "build, stringify, parse, sort, map 50,000 objects",
        "230 ms",
        "const rows = []; for (let i = 0; i < 50000; i++) rows.push({ id: i, name: 'name ' + i, value: (i * 7919) % 50000, tags: ['a', 'b', 'c'], nested: { x: i, y: -i, ok: true } });
         const back = JSON.parse(JSON.stringify(rows)); back.sort((a, b) => a.value - b.value); back.map((row) => row.value * 2).length",
    ),
    ("1e5 awaits of resolved promises", "60 ms", "for (let i = 0; i < 100000; i++) await null"),
    ("1e6 turns of a counting loop", "-", "let n = 0; for (let i = 0; i < 1e6; i++) n += i"),
    ("1e6 numbers pushed to an array", "-", "const all = []; for (let i = 0; i < 1e6; i++) all.push(i)"),
    ("1e6 appends to a string", "-", "let s = ''; for (let i = 0; i < 1e6; i++) s += 'ab'"),
    (
        "1e6 objects made, read and written",
        "-",
        "let sum = 0; for (let i = 0; i < 1e6; i++) { const o = { a: i, b: 1 }; o.a += o.b; sum += o.a }",
    ),
    (
        "1e6 entries of a Map set and read",
        "-",
        "const map = new Map(); for (let i = 0; i < 1e6; i++) map.set(i % 5000, i); let sum = 0; for (const [k, v] of map) sum += k + v",
    ),
];

pub(crate) fn measure(table: &mut Table) {
    let engine = Engine::new(EngineOptions::default()).expect("an engine can be made");
    table.row("VM made and dropped, nothing run", "-", || {
        milliseconds(median(2000, || drop(start(&engine, "1"))))
    });
    let hi = "text(\"hi\")";
    table.beside_native(
        "text(\"hi\") from VM made to VM dropped",
        "-",
        2000,
        || run_to_end(&engine, hi),
        || native::run_to_end(hi),
    );
    let suspended = || {
        let mut vm = start(&engine, "text('hi'); const a = await tools.echo({ a: 1 }); text(a)");
        let turn = vm.run();
        let call = turn.effects.iter().find_map(|effect| match effect {
            Effect::CallTool { call, .. } => Some(*call),
            _ => None,
        });
        (vm, call.expect("the cell calls"))
    };
    table.row("snapshot of a suspended cell", "0.5 ms", || {
        let (vm, _) = suspended();
        milliseconds(median(200, || drop(vm.snapshot().expect("it is idle"))))
    });
    table.row("its pages", "-", || {
        let (vm, _) = suspended();
        let snapshot = vm.snapshot().expect("it is idle");
        format!("{} x 4 KiB", snapshot.page_count())
    });
    table.row("its bytes, compressed", "-", || {
        let (vm, _) = suspended();
        format!("{} B", vm.snapshot().expect("it is idle").to_bytes().len())
    });
    table.row("a snapshot to bytes, and back", "-", || {
        let (vm, _) = suspended();
        let snapshot = vm.snapshot().expect("it is idle");
        milliseconds(median(200, || {
            Snapshot::from_bytes(&snapshot.to_bytes()).expect("it was just written");
        }))
    });
    table.row("fork of a suspended cell", "0.7 ms", || {
        let (vm, _) = suspended();
        milliseconds(median(200, || drop(vm.fork().expect("it is idle"))))
    });
    table.row("restore of a suspended cell", "0.2 ms", || {
        let (vm, _) = suspended();
        let snapshot = vm.snapshot().expect("it is idle");
        milliseconds(median(200, || {
            drop(engine.restore(&snapshot, Arc::new(NothingStored), LIMITS).expect("it fits"));
        }))
    });
    for (what, goal, call, json) in [
        ("1e5 answers awaited in sequence, each, over the bare await", "0.0010 ms", "tools.echo()", "null"),
        ("the same with an object both ways", "-", "tools.echo({ n: 1 })", "{\"n\":1}"),
    ] {
        table.row(what, goal, || {
            let [bare, called] = medians(
                5,
                [&mut || run_to_end(&engine, &awaiting("null")), &mut || {
                    answer_to_end(&engine, &awaiting(call), json);
                }],
            );
            milliseconds(called.saturating_sub(bare) / AWAITS)
        });
    }
    for (what, goal, source) in PROGRAMS {
        table.beside_native(what, goal, 7, || run_to_end(&engine, source), || native::run_to_end(source));
    }
}
