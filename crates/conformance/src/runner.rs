//! Runs the tests of a suite on all processors, each in both engines.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use carrel_engine::{Engine, EngineError, EngineOptions, VmLimits};

use crate::suite::{Suite, Test};
use crate::verdict::{self, Verdict};
use crate::{cell, native};

/// What a test came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) path: &'a str,
    pub(crate) cell: Verdict,
    pub(crate) native: Verdict,
}

/// Why the tests could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("native QuickJS-NG: {0}")]
    Native(#[from] rquickjs::Error),
    #[error("a thread could not be had: {0}")]
    Thread(#[from] std::io::Error),
    #[error("{0} of the tests were not run: a thread panicked")]
    Panicked(usize),
}

const TICK: Duration = Duration::from_millis(1);
/// Native recursion, which QuickJS limits to less, happens on the thread's own stack.
const STACK_BYTES: usize = 16 * 1024 * 1024;
const TESTS_A_LINE: usize = 5000;

/// Runs all tests and returns what they came to, in their order. `limit` is the CPU time of a test in one engine.
pub(crate) fn run<'a>(suite: &'a Suite, limit: Duration) -> Result<Vec<Outcome<'a>>, Error> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    // A VM is dropped before the next is made, but its place is not free at once.
    let max_vms = u32::try_from(threads * 2).unwrap_or(u32::MAX);
    let engine = Engine::new(EngineOptions { max_vms, ..EngineOptions::default() })?;
    let next = AtomicUsize::new(0);
    let ended = AtomicBool::new(false);
    let outcomes = Mutex::new(Ok(Vec::with_capacity(suite.tests().len())));
    let work = || {
        while let Some(test) = suite.tests().get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run_one(&engine, suite, test, limit);
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            match (outcome, &mut *outcomes) {
                (Ok(outcome), Ok(outcomes)) => {
                    outcomes.push(outcome);
                    if outcomes.len() % TESTS_A_LINE == 0 {
                        eprintln!("{} of {} tests", outcomes.len(), suite.tests().len());
                    }
                }
                (Err(error), outcomes) => {
                    *outcomes = Err(error);
                    return;
                }
                (Ok(_), Err(_)) => return,
            }
        }
    };
    let tick = || {
        while !ended.load(Ordering::Relaxed) {
            thread::park_timeout(TICK);
            engine.tick();
        }
    };
    thread::scope(|scope| -> Result<(), Error> {
        let ticker = thread::Builder::new().name("ticker".to_owned()).spawn_scoped(scope, tick)?;
        let workers: Vec<_> = (0..threads)
            .map(|_| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work))
            .collect();
        for worker in workers.into_iter().flatten() {
            // One that panicked has said so on the way.
            drop(worker.join());
        }
        ended.store(true, Ordering::Relaxed);
        drop(ticker.join());
        Ok(())
    })?;
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    if outcomes.len() < suite.tests().len() {
        return Err(Error::Panicked(suite.tests().len() - outcomes.len()));
    }
    outcomes.sort_by_key(|outcome| outcome.path);
    Ok(outcomes)
}

fn run_one<'a>(
    engine: &Engine,
    suite: &Suite,
    test: &'a Test,
    limit: Duration,
) -> Result<Outcome<'a>, Error> {
    let source = suite.program(test);
    // As much as there can be: the tests are about the language, and some want more than a cell's default.
    let limits = VmLimits { memory_bytes: EngineOptions::default().max_memory_bytes, cpu_time: limit };
    let in_cell = cell::run(engine, source.clone(), limits)?;
    let in_native = native::run(source, limits)?;
    Ok(Outcome { path: &test.path, cell: verdict::of(test, &in_cell), native: verdict::of(test, &in_native) })
}
