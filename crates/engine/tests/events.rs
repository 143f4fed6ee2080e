//! Events that no runtime would send, and a pool that is used up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::sync::Arc;

use carrel_engine::{CallHandle, Effect, Engine, EngineOptions, Event, Progress, Vm, VmLimits};

use common::{ending, run, start, text};

fn engine() -> Engine {
    Engine::new(EngineOptions { max_vms: 8, ..EngineOptions::default() }).unwrap()
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
                dialect: carrel_engine::Dialect::default(),
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
    assert_eq!(text(&ending(&engine, "text('fine')", VmLimits::default()).0), "fine");
}
