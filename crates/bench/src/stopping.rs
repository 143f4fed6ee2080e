//! How long it takes to stop a VM, wherever it is: the cells of `tests/endless.js`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use carrel_engine::{Engine, EngineOptions, NothingStored, Progress, Start, StoreQuota, Tools, Vm, VmLimits};

use crate::table::{Table, median_of, milliseconds};

/// Stops of each cell, of which the median counts; after other stretches of running, so that they hit other places.
const ROUNDS: u32 = 9;

pub(crate) fn measure(table: &mut Table) {
    const LIST: &str = include_str!("../../../tests/endless.js");
    let engine =
        Engine::new(EngineOptions { max_vms: 1, ..EngineOptions::default() }).expect("an engine can be made");
    let mut all = Vec::new();
    table.row("stop, engine alone, any endless cell: median", "0.40 ms", || {
        for cell in LIST.split("\n\n").skip(1) {
            let (name, source) =
                cell.trim_start_matches("// ").split_once('\n').expect("a name and a source");
            let mut times: Vec<_> = (0..ROUNDS).map(|round| stop(&engine, source, round)).collect();
            times.sort();
            let worst = times.last().copied().unwrap_or_default();
            all.push((median_of(times.into_iter()), worst, name));
        }
        milliseconds(median_of(all.iter().map(|(median, _, _)| *median)))
    });
    if all.is_empty() {
        return;
    }
    all.sort();
    for (median, worst, name) in all.iter().rev().take(5) {
        let what = format!("  slow to stop: {name}, median; {} at worst", milliseconds(*worst));
        table.row(&what, "5 ms", || milliseconds(*median));
    }
    let (_, worst, name) = all.iter().max_by_key(|(_, worst, _)| *worst).expect("not empty");
    table.row(&format!("  stop, worst of all: {name}"), "5 ms", || milliseconds(*worst));
}

/// Runs a cell for a while and returns the time from its stop to its end, in which its memory is given back.
fn stop(engine: &Engine, source: &str, round: u32) -> Duration {
    let mut vm = start(engine, source);
    let stopper = vm.stopper();
    let stopped = Mutex::new(None);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // A few slices in, so that what the cell sets up first is mostly done.
            let until = Instant::now() + Duration::from_millis(30) + Duration::from_micros(1370) * round;
            while Instant::now() < until {
                thread::park_timeout(Duration::from_millis(1));
                engine.tick();
            }
            *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            stopper.stop();
            // A VM that was about to go on when it was stopped finds out at the end of its slice.
            while !done.load(Ordering::Acquire) {
                thread::park_timeout(Duration::from_millis(1));
                engine.tick();
            }
        });
        while !matches!(vm.run().progress, Progress::Ended(_)) {}
        drop(vm);
        let ended = Instant::now();
        while stopped.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            thread::yield_now();
        }
        done.store(true, Ordering::Release);
        let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.map_or(Duration::ZERO, |stopped| ended.saturating_duration_since(stopped))
    })
}

fn start(engine: &Engine, source: &str) -> Vm {
    let start = Start {
        source: source.to_owned(),
        tools: Arc::new(Tools::new([("echo", "")])),
        stored: Arc::new(NothingStored),
        quota: StoreQuota::default(),
        seed: 1,
        now_us: 0,
        time_zone: carrel_engine::TimeZone::default(),
        dialect: carrel_engine::Dialect::default(),
        persistent: false,
    };
    engine
        .start(start, VmLimits { cpu_time: Duration::MAX, ..VmLimits::default() })
        .expect("a VM can be made")
}
