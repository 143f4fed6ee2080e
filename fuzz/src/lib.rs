//! What the targets share: one engine under a clock, and the beginning of a cell.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use carrel_engine::{
    Dialect, Effect, Ending, Engine, EngineOptions, Progress, Start, StoreQuota, StoredSize, StoredValues,
    Tools, Vm, VmLimits,
};

/// Small, so that memory runs out often; short, so that a loop costs a tenth of a second.
pub const LIMITS: VmLimits = VmLimits { memory_bytes: 8 << 20, cpu_time: Duration::from_millis(100) };

/// Nothing, or what was there before: `kept`.
pub struct Stored;

impl StoredValues for Stored {
    fn get(&self, key: &str) -> Option<Arc<str>> {
        (key == "kept").then(|| "{\"from\":\"before\"}".into())
    }

    fn size(&self) -> StoredSize {
        StoredSize { keys: 1, bytes: 21 }
    }
}

pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let engine =
            Engine::new(EngineOptions { max_vms: 8, ..EngineOptions::default() }).expect("an engine");
        let ticking = engine.clone();
        thread::spawn(move || {
            loop {
                thread::park_timeout(Duration::from_millis(1));
                ticking.tick();
            }
        });
        engine
    })
}

pub fn cell(source: String, dialect: Dialect, persistent: bool) -> Start {
    Start {
        source,
        tools: Arc::new(Tools::new([("echo", "Returns its input."), ("fail", "Fails.")])),
        stored: Arc::new(Stored),
        quota: StoreQuota::default(),
        seed: 42,
        now_us: 1_790_000_000_000_000,
        time_zone: carrel_engine::TimeZone::default(),
        dialect,
        persistent,
    }
}

pub fn start(source: String) -> Vm {
    start_in(Dialect::Carrel, source)
}

pub fn start_in(dialect: Dialect, source: String) -> Vm {
    engine().start(cell(source, dialect, false), LIMITS).expect("there is a place")
}

/// Runs a VM until it waits or ends. A trap that is a fault of the engine's is a finding.
pub fn run(vm: &mut Vm) -> (Vec<Effect>, Progress) {
    let mut all = Vec::new();
    loop {
        let turn = vm.run();
        all.extend(turn.effects);
        match turn.progress {
            Progress::Preempted | Progress::Ready => {}
            Progress::Ended(Ending::Trapped(detail)) => panic!("the engine is at fault: {detail}"),
            progress => return (all, progress),
        }
    }
}
