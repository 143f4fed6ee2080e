//! Where in a cell a tool call stands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use carrel_engine::{Effect, Engine, EngineOptions, Event, Progress, Vm, VmLimits};

use common::{beginning, run, start};

fn engine() -> Engine {
    Engine::new(EngineOptions { max_vms: 8, ..EngineOptions::default() }).unwrap()
}

/// Runs a cell to its end; returns the places of its calls, each of which is answered.
fn places(vm: &mut Vm) -> Vec<Option<(u32, u32)>> {
    let mut places = Vec::new();
    loop {
        let (effects, progress) = run(vm);
        for effect in effects {
            if let Effect::CallTool { call, location, .. } = effect {
                places.push(location);
                vm.deliver(Event::Answered { call, json: "null".into(), now_us: 1 });
            }
        }
        if matches!(progress, Progress::Ended(_)) {
            return places;
        }
    }
}

fn places_of(source: &str) -> Vec<Option<(u32, u32)>> {
    places(&mut start(&engine(), source, VmLimits::default()))
}

#[test]
fn a_call_is_where_its_name_is() {
    assert_eq!(
        places_of("await tools.echo(1);\n\n  await  tools . later ( 2 )"),
        [Some((1, 13)), Some((3, 18))]
    );
    assert_eq!(places_of("const { echo } = tools; await echo(1)"), [Some((1, 31))]);
    // Columns count UTF-16 code units.
    assert_eq!(places_of("/* \u{e9}\u{1f600} */ await tools.echo(1)"), [Some((1, 23))]);
}

#[test]
fn the_way_back_is_found_too() {
    let source = "for (const i of [1, 2]) {\n  tools.echo(1);\n  tools.later(1);\n}\nawait tools.echo(2)";
    let [first, second] = [Some((2, 9)), Some((3, 9))];
    assert_eq!(places_of(source), [first, second, first, second, Some((5, 13))]);
    let apart = "const f = () =>\n  tools.echo(1);\nconst g = () =>\n\n  tools.echo(1);\nf(); g(); f(); g()";
    assert_eq!(places_of(apart), [Some((2, 9)), Some((5, 9)), Some((2, 9)), Some((5, 9))]);
}

#[test]
fn a_call_through_others_is_at_the_code_of_the_cell_nearest_to_it() {
    assert_eq!(places_of("[1, 2].map(tools.echo)"), [Some((1, 8)); 2]);
    assert_eq!(places_of("await null;\nReflect.apply(tools.echo, null, [])"), [Some((2, 9))]);
    assert_eq!(places_of("\n (0, eval)('\\n\\n  tools.echo(1)')"), [Some((2, 11))]);
    assert_eq!(places_of("Promise.resolve().then(tools.echo); await null; await null"), [None]);
}

#[test]
fn code_of_the_cell_neither_sees_nor_changes_it() {
    let source = "
Error.prepareStackTrace = () => { text('asked'); return 'cell.js:9:9'; };
Error.stackTraceLimit = 0;
Object.defineProperty(Function.prototype, 'name', { get() { text('asked') } });
globalThis.JSON.stringify = Object.defineProperty = Math.min = () => 7;
await tools.echo(1);";
    let mut vm = start(&engine(), source, VmLimits::default());
    let (effects, _) = run(&mut vm);
    let [Effect::CallTool { location, .. }] = effects.as_slice() else { panic!("one call: {effects:?}") };
    assert_eq!(*location, Some((6, 13)));
}

#[test]
fn a_call_that_an_earlier_cell_wrote_is_where_this_one_leads_to_it() {
    let engine = engine();
    let first = "function f() { return tools.echo(1) }\nlet g = async () => { await null; tools.echo(2) }";
    let mut vm = engine.start(beginning(first, true), VmLimits::default()).unwrap();
    assert_eq!(places(&mut vm), []);
    vm.begin(beginning("\n  await f();\ng(); await null; await null", true)).unwrap();
    assert_eq!(places(&mut vm), [Some((2, 9)), None]);
    vm.begin(beginning("tools.echo(3)", true)).unwrap();
    assert_eq!(places(&mut vm), [Some((1, 7))]);
}
