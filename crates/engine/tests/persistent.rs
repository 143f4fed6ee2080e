//! Several cells in one VM. What they see of each other is in `tests/cells/notebook_*.js`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::sync::Arc;

use carrel_engine::{
    BeginError, Effect, Ending, Engine, EngineOptions, Event, Progress, Start, Tools, Vm, VmLimits,
};

use common::{beginning, run};

fn engine() -> Engine {
    Engine::new(EngineOptions::default()).unwrap()
}

/// Makes a persistent VM and runs its first cell.
fn vm_after(engine: &Engine, source: &str) -> Vm {
    let mut vm = engine.start(beginning(source, true), VmLimits::default()).unwrap();
    run(&mut vm);
    vm
}

/// Runs a further cell until it waits or ends.
fn next(vm: &mut Vm, source: &str) -> (Vec<Effect>, Progress) {
    vm.begin(beginning(source, true)).unwrap();
    run(vm)
}

fn texts(effects: &[Effect]) -> Vec<&str> {
    fn text(effect: &Effect) -> Option<&str> {
        if let Effect::Text { text, .. } = effect { Some(text) } else { None }
    }
    effects.iter().filter_map(text).collect()
}

#[test]
fn cells_without_number_leave_no_memory() {
    let engine = engine();
    let mut vm = vm_after(&engine, "let last; const add = (a, b) => a + b;");
    let cells = [
        "const data = Array.from({ length: 500 }, (_, i) => ({ i })); last = data.map((x) => x.i).length; text(last);",
        "const r = await tools.echo({ a: 1 });",
        "const gone = tools.later(1).then(() => text('never')); setTimeout(() => {}, 5); last = add(1, 2);",
        "let big = 'x'.repeat(10000); if (last) exit(); text('never')",
        "const f = async () => { await null; exit(); }; await f();",
        "throw new Error('failed')",
        "let x = ;",
        "import 'nothing'",
        "Promise.reject(new Error('unhandled'));",
        "store('k', [1, 2, 3]); export default last;",
    ];
    let mut sizes = Vec::new();
    for round in 0..120 {
        for cell in cells {
            let (effects, progress) = next(&mut vm, cell);
            let call = effects.iter().find_map(|effect| match effect {
                Effect::CallTool { call, tool: 0, .. } => Some(*call),
                _ => None,
            });
            if let (Some(call), Progress::Idle) = (call, &progress) {
                vm.deliver(Event::Answered { call, json: "{}".into(), now_us: 1_790_000_000_000_001 });
                run(&mut vm);
            }
        }
        if round >= 20 {
            sizes.push(vm.snapshot().unwrap().page_count());
        }
    }
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    assert!(last <= first + 8, "1,000 cells took {} pages: {sizes:?}", last.saturating_sub(first));
}

#[test]
fn a_cell_begins_only_after_the_one_before() {
    let engine = engine();
    let mut vm = engine.start(beginning("await tools.echo(1)", true), VmLimits::default()).unwrap();
    assert_eq!(vm.begin(beginning("1", true)), Err(BeginError::Busy), "not begun");
    run(&mut vm);
    assert_eq!(vm.begin(beginning("1", true)), Err(BeginError::Busy), "waiting");
    let mut fresh = engine.start(beginning("1", false), VmLimits::default()).unwrap();
    run(&mut fresh);
    assert!(!fresh.is_whole());
    assert_eq!(fresh.begin(beginning("1", true)), Err(BeginError::Gone));
    assert!(fresh.snapshot().is_err());
}

#[test]
fn a_cell_that_is_stopped_takes_the_vm_with_it_and_a_snapshot_from_before_goes_on() {
    let engine = engine();
    let mut vm = vm_after(&engine, "let n = 1;");
    let before = vm.snapshot().unwrap();
    assert!(before.is_vacant());
    assert_eq!(next(&mut vm, "n = 2; await tools.echo(n);").1, Progress::Idle);
    vm.stopper().stop();
    assert_eq!(run(&mut vm).1, Progress::Ended(Ending::Stopped));
    assert!(!vm.is_whole());
    assert_eq!(vm.begin(beginning("text(n)", true)), Err(BeginError::Gone));

    let mut vm = engine.restore(&before, Arc::new(common::Stored::default()), VmLimits::default()).unwrap();
    assert_eq!(texts(&next(&mut vm, "text(n)").0), ["1"]);
}

#[test]
fn a_stopper_stops_its_own_cell_alone() {
    let engine = engine();
    let mut vm = vm_after(&engine, "let n = 1;");
    let of_the_first = vm.stopper();
    of_the_first.stop();
    assert_eq!(texts(&next(&mut vm, "text(n)").0), ["1"]);
    of_the_first.stop();
    assert_eq!(texts(&next(&mut vm, "text(n + 1)").0), ["2"]);
}

#[test]
fn an_answer_to_an_earlier_cell_changes_nothing() {
    let engine = engine();
    let mut vm = engine.start(beginning("tools.echo(1).then(text); 1;", true), VmLimits::default()).unwrap();
    let (effects, _) = run(&mut vm);
    let Effect::CallTool { call, .. } = effects[0] else { panic!("{effects:?}") };
    let answer = Event::Answered { call, json: "\"late\"".into(), now_us: 1_790_000_000_000_001 };
    vm.deliver(answer.clone());
    assert!(run(&mut vm).0.is_empty(), "between cells");
    vm.begin(beginning("await tools.echo(2); text('end')", true)).unwrap();
    let (effects, progress) = run(&mut vm);
    assert_eq!((effects.len(), progress), (1, Progress::Idle));
    vm.deliver(answer);
    assert_eq!(run(&mut vm), (Vec::new(), Progress::Idle), "while the next cell waits");
}

#[test]
fn a_kept_function_of_a_tool_calls_it_by_name_when_the_tools_change() {
    let engine = engine();
    let with = |source: &str, tools: &[(&str, &str)]| Start {
        tools: Arc::new(Tools::new(tools.iter().copied())),
        ..beginning(source, true)
    };
    let before = [("alpha", ""), ("beta", ""), ("gamma", "")];
    let after = [("beta", ""), ("delta", ""), ("gamma", "")];
    let source = "const { alpha, beta } = tools; text(ALL_TOOLS.length);";
    let mut vm = engine.start(with(source, &before), VmLimits::default()).unwrap();
    run(&mut vm);
    let source = "
        beta(1);
        tools.delta(2);
        await alpha(3).catch((e) => text(`${e.name}: ${e.message}`));
        text(ALL_TOOLS.map((tool) => tool.name));
        try { tools.alpha } catch (e) { text(e.message) }";
    vm.begin(with(source, &after)).unwrap();
    let (effects, _) = run(&mut vm);
    let called: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::CallTool { tool, .. } => Some(after[*tool].0),
            _ => None,
        })
        .collect();
    assert_eq!(called, ["beta", "delta"]);
    assert_eq!(
        texts(&effects),
        [
            "TypeError: there is no tool \"alpha\" any more",
            "[\"beta\",\"delta\",\"gamma\"]",
            "there is no tool \"alpha\"; ALL_TOOLS lists the 3 there are"
        ]
    );
}

#[test]
fn memory_that_is_out_is_back_for_the_next_cell() {
    let engine = engine();
    let mut vm = vm_after(&engine, "let kept = 'here';");
    let (_, progress) = next(&mut vm, "const hoard = []; while (true) hoard.push(new Array(1000).fill(1));");
    assert!(matches!(progress, Progress::Ended(Ending::OutOfMemory(Some(_)))), "{progress:?}");
    // What the cell declared, it keeps.
    assert_eq!(texts(&next(&mut vm, "text(kept); hoard.length = 0; text(hoard.length)").0), ["here", "0"]);
    assert_eq!(texts(&next(&mut vm, "text(new Array(100000).fill(1).length)").0), ["100000"]);
}
