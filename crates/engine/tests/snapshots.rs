//! Saved, restored and forked VMs: each goes on as the one it was made of would have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use carrel_engine::{
    CallHandle, Effect, Ending, Engine, EngineOptions, Event, ForkError, InvalidSnapshot, Progress,
    RestoreError, Snapshot, SnapshotError, Vm, VmLimits,
};

use common::{Stored, run, start};

fn engine() -> Engine {
    Engine::new(EngineOptions { max_vms: 3, ..EngineOptions::default() }).unwrap()
}

/// Counts its answers, and keeps a thousand objects to do so.
const COUNTS: &str = "const kept = new Map(); for (let i = 0; i < 1000; i++) kept.set(i, { i });
     for (;;) { const add = await tools.echo(kept.size); for (let i = 0; i < add; i++) kept.set({}, Math.random()) }";

fn waiting(engine: &Engine) -> (Vm, CallHandle) {
    let mut vm = start(engine, COUNTS, VmLimits::default());
    let call = only_call(&run(&mut vm).0).0;
    (vm, call)
}

fn only_call(effects: &[Effect]) -> (CallHandle, String) {
    match effects {
        [Effect::CallTool { call, input, .. }] => (*call, input.clone().unwrap_or_default()),
        other => panic!("one call was expected: {other:?}"),
    }
}

fn answer(vm: &mut Vm, call: CallHandle, json: &str) -> (CallHandle, String) {
    vm.deliver(Event::Answered { call, json: json.into(), now_us: 1 });
    only_call(&run(vm).0)
}

#[test]
fn a_fork_and_its_origin_do_the_same_and_know_nothing_of_each_other() {
    let engine = engine();
    let (mut origin, call) = waiting(&engine);
    let mut fork = origin.fork().unwrap();
    assert_eq!(fork.memory_hash().unwrap(), origin.memory_hash().unwrap());
    assert_eq!(fork.cpu_time(), origin.cpu_time());

    let (next, size) = answer(&mut origin, call, "5");
    assert_eq!(size, "1005");
    assert_ne!(fork.memory_hash().unwrap(), origin.memory_hash().unwrap());
    assert_eq!(answer(&mut fork, call, "5"), (next, "1005".to_owned()));
    assert_eq!(fork.memory_hash().unwrap(), origin.memory_hash().unwrap());

    origin.stopper().stop();
    assert_eq!(run(&mut origin).1, Progress::Ended(Ending::Stopped));
    assert_eq!(answer(&mut fork, next, "2").1, "1007");
}

#[test]
fn a_fork_needs_a_place_and_a_vm_that_waits() {
    let engine = engine();
    let (origin, _) = waiting(&engine);
    let forks: Vec<_> = (0..2).map(|_| origin.fork().unwrap()).collect();
    assert!(
        matches!(origin.fork(), Err(ForkError::Restore(RestoreError::Engine(full))) if full.is_pool_full())
    );
    drop(forks);
    let fresh = start(&engine, "1", VmLimits::default());
    assert!(matches!(fresh.fork(), Err(ForkError::Snapshot(SnapshotError::NotIdle(_)))));
}

#[test]
fn a_snapshot_is_refused_where_it_does_not_fit() {
    let engine = engine();
    let mut vm =
        start(&engine, "const a = new Uint8Array(9e6).fill(1); await tools.echo()", VmLimits::default());
    assert_eq!(run(&mut vm).1, Progress::Idle);
    let snapshot = vm.snapshot().unwrap();
    let bytes = snapshot.to_bytes();
    assert_eq!(Snapshot::from_bytes(&bytes).unwrap(), snapshot);

    let limits = VmLimits { memory_bytes: 4 << 20, ..VmLimits::default() };
    let refused = engine.restore(&snapshot, Arc::new(Stored::default()), limits);
    assert!(matches!(refused, Err(RestoreError::Invalid(InvalidSnapshot::TooLarge { .. }))));

    // The image's id follows magic and version. A checksum that fits makes it a whole snapshot of another image.
    let (content, _) = bytes.split_last_chunk::<32>().unwrap();
    let mut other = content.to_vec();
    other[8] ^= 1;
    other.extend_from_slice(blake3::hash(&other).as_bytes());
    let other = Snapshot::from_bytes(&other).unwrap();
    let refused = engine.restore(&other, Arc::new(Stored::default()), VmLimits::default());
    assert!(matches!(refused, Err(RestoreError::Invalid(InvalidSnapshot::OtherImage { .. }))));
}

/// Most of a changed page is as it was in the image.
#[test]
fn a_small_cell_at_rest_takes_a_tenth_of_its_pages() {
    let engine = engine();
    let mut vm = start(&engine, "text('hi'); text(await tools.echo({ a: 1 }))", VmLimits::default());
    assert_eq!(run(&mut vm).1, Progress::Idle);
    let snapshot = vm.snapshot().unwrap();
    let (bytes, pages) = (snapshot.to_bytes().len(), snapshot.page_count());
    assert!(bytes < pages * 4096 / 10, "{bytes} bytes for {pages} pages");
}

#[test]
fn the_time_that_a_vm_used_goes_with_it() {
    let engine = engine();
    let limits = VmLimits { cpu_time: Duration::from_millis(20), ..VmLimits::default() };
    let mut vm = start(&engine, "for (;;) { for (let i = 0; i < 1e5; i++); await tools.echo() }", limits);
    let mut call = only_call(&run(&mut vm).0).0;
    let mut used = vm.cpu_time();
    assert!(used > Duration::ZERO);
    loop {
        vm.deliver(Event::Answered { call, json: "null".into(), now_us: 1 });
        let (effects, progress) = run(&mut vm);
        assert!(vm.cpu_time() > used, "a turn takes time");
        used = vm.cpu_time();
        if progress != Progress::Idle {
            assert_eq!(progress, Progress::Ended(Ending::CpuTimeExhausted));
            assert!(used >= limits.cpu_time);
            break;
        }
        call = only_call(&effects).0;
        // Made anew for every event, it still comes to its limit.
        let saved = Snapshot::from_bytes(&vm.snapshot().unwrap().to_bytes()).unwrap();
        vm = engine.restore(&saved, Arc::new(Stored::default()), limits).unwrap();
        assert_eq!(vm.cpu_time(), used);
    }
}
