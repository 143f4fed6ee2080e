//! A VM is stopped from another thread wherever it is, and its place can be used again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use carrel_engine::{Effect, Ending, Engine, EngineOptions, Event, Progress, Turn, Vm, VmLimits};

use common::{beginning, endless, run, start};

/// Runs a slice of a VM under a clock.
fn slice(engine: &Engine, vm: &mut Vm) -> Turn {
    beside(vm, |done| {
        while !done.load(Ordering::Acquire) {
            thread::park_timeout(Duration::from_millis(1));
            engine.tick();
        }
    })
}

/// Stops a VM while it runs, or when it is just about to: then the clock ends the slice that the stop came too early for.
fn stop(engine: &Engine, vm: &mut Vm) -> Turn {
    let stopper = vm.stopper();
    beside(vm, |done| {
        stopper.stop();
        while !done.load(Ordering::Acquire) {
            thread::park_timeout(Duration::from_secs(1));
            engine.tick();
        }
    })
}

/// Runs a VM beside a thread that is told when it has come back.
fn beside(vm: &mut Vm, thread: impl FnOnce(&AtomicBool) + Send) -> Turn {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let beside = scope.spawn(|| thread(&done));
        let turn = vm.run();
        done.store(true, Ordering::Release);
        beside.thread().unpark();
        turn
    })
}

#[test]
fn endless_work_of_every_kind_is_stopped_and_its_place_used_again() {
    let engine = Engine::new(EngineOptions { max_vms: 1, ..EngineOptions::default() }).unwrap();
    let endless = endless();
    assert!(endless.len() > 80, "the list is where it is looked for");
    let mut wrong = Vec::new();
    for (name, source) in endless {
        let mut vm = start(&engine, source, VmLimits::default());
        // In the middle of its work, not before it.
        let (first, last) = (slice(&engine, &mut vm).progress, stop(&engine, &mut vm).progress);
        if (&first, &last) != (&Progress::Preempted, &Progress::Ended(Ending::Stopped)) {
            wrong.push(format!("{name}: {first:?}, then {last:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (effects, _) = run(&mut start(&engine, "text('fine')", VmLimits::default()));
    assert_eq!(effects, [Effect::Text { text: "fine".into(), level: None }]);
}

#[test]
fn a_stop_before_the_first_turn_and_between_two_is_met() {
    let engine = Engine::new(EngineOptions { max_vms: 2, ..EngineOptions::default() }).unwrap();
    let stopped = |vm: &mut Vm| {
        vm.stopper().stop();
        assert_eq!(run(vm), (vec![], Progress::Ended(Ending::Stopped)));
        // And stays so.
        assert_eq!(run(vm), (vec![], Progress::Ended(Ending::Stopped)));
    };
    stopped(&mut start(&engine, "text('never')", VmLimits::default()));
    let mut waits = start(&engine, "await tools.echo(); text('never')", VmLimits::default());
    run(&mut waits);
    let mut fork = waits.fork().unwrap();
    stopped(&mut waits);
    assert_eq!(run(&mut fork), (vec![], Progress::Idle), "a fork is not stopped with its origin");
}

#[test]
fn a_vm_goes_on_in_places_that_were_made_later() {
    let options = EngineOptions { max_vms: 3, first_vms: Some(1), ..EngineOptions::default() };
    let engine = Engine::new(options).unwrap();
    let source = "await tools.echo(); text('on'); for (;;);";
    let mut vms: Vec<_> = (0..3).map(|_| start(&engine, source, VmLimits::default())).collect();
    let refused = engine.start(beginning(source, false), VmLimits::default()).unwrap_err();
    assert!(refused.is_pool_full(), "{refused}");

    let (effects, progress) = run(&mut vms[0]);
    assert_eq!(progress, Progress::Idle);
    let Some(&Effect::CallTool { call, .. }) = effects.first() else { panic!("{effects:?}") };
    vms.pop();
    let mut fork = vms[0].fork().unwrap();
    for vm in [&mut vms[0], &mut fork] {
        vm.deliver(Event::Answered { call, json: "1".into(), now_us: 1 });
        // On a loaded machine a slice can be over before it has come that far.
        let effects = loop {
            let turn = slice(&engine, vm);
            assert_eq!(turn.progress, Progress::Preempted);
            if !turn.effects.is_empty() {
                break turn.effects;
            }
        };
        assert_eq!(effects, [Effect::Text { text: "on".into(), level: None }]);
        assert_eq!(stop(&engine, vm).progress, Progress::Ended(Ending::Stopped));
    }
}

#[test]
fn the_cpu_time_of_a_loop_ends() {
    let engine = Engine::new(EngineOptions { max_vms: 1, ..EngineOptions::default() }).unwrap();
    let limits = VmLimits { cpu_time: Duration::from_millis(5), ..VmLimits::default() };
    let mut vm = start(&engine, "text('in'); for (;;);", limits);
    let (mut effects, mut used) = (Vec::new(), Duration::ZERO);
    let ending = loop {
        let turn = slice(&engine, &mut vm);
        effects.extend(turn.effects);
        used += turn.cpu_time;
        if let Progress::Ended(ending) = turn.progress {
            break ending;
        }
    };
    assert_eq!(ending, Ending::CpuTimeExhausted);
    assert_eq!(effects, [Effect::Text { text: "in".into(), level: None }]);
    assert_eq!(used, vm.cpu_time());
    assert!(used >= limits.cpu_time);
}
