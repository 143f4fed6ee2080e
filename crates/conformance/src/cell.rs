//! Runs a test in a cell of the engine.

use std::sync::Arc;

use carrel_engine::{
    Effect, Ending, Engine, EngineError, GuestError, NothingStored, Progress, Start, StoreQuota, Tools,
    VmLimits,
};

use crate::verdict::{End, Run, Thrown};

/// Any day will do; tests that want one later than 2020 get it.
const NOW_US: i64 = 1_790_000_000_000_000;

/// Runs a test to its end or to one of its limits, which needs the engine's ticks.
pub(crate) fn run(engine: &Engine, source: String, limits: VmLimits) -> Result<Run, EngineError> {
    let start = Start {
        source,
        tools: Arc::new(Tools::default()),
        stored: Arc::new(NothingStored),
        quota: StoreQuota::default(),
        seed: 1,
        now_us: NOW_US,
        time_zone: carrel_engine::TimeZone::default(),
        dialect: carrel_engine::Dialect::default(),
        persistent: false,
    };
    let mut vm = engine.start(start, limits)?;
    let mut printed = Vec::new();
    loop {
        let turn = vm.run();
        printed.extend(turn.effects.into_iter().filter_map(|effect| match effect {
            Effect::Text { text, level: None } => Some(text),
            _ => None,
        }));
        let end = match turn.progress {
            Progress::Preempted | Progress::Ready => continue,
            Progress::Idle => End::Broke("it waits for an event".to_owned()),
            Progress::Ended(ending) => end(ending),
        };
        return Ok(Run { printed, end });
    }
}

fn end(ending: Ending) -> End {
    match ending {
        Ending::Completed(_) => End::Completed,
        Ending::SyntaxError(error) => End::DidNotCompile(thrown(error)),
        Ending::Threw(error) => End::Threw(thrown(error)),
        Ending::CpuTimeExhausted => End::TooLong,
        Ending::OutOfMemory(_) => End::Broke("out of memory".to_owned()),
        other => End::Broke(format!("{other:?}")),
    }
}

fn thrown(GuestError { name, message, .. }: GuestError) -> Thrown {
    Thrown { name, message }
}
