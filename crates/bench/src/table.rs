//! Rows of figures, printed as they are measured.
//!
//! What the engine does is measured a second time in native QuickJS-NG of the same version, in the same run: machines
//! differ, and the distance between the two is the price of the sandbox.

use std::iter;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Prints rows whose name has the wanted part.
pub(crate) struct Table {
    wanted: Option<String>,
}

impl Table {
    pub(crate) fn new(wanted: Option<String>) -> Self {
        println!("{:<62} {:>14} {:>14} {:>14}", "what", "measured", "goal", "native");
        Self { wanted }
    }

    /// Measures and prints a row, unless it is not wanted.
    pub(crate) fn row(&mut self, what: &str, goal: &str, measure: impl FnOnce() -> String) {
        if self.wants(what) {
            println!("{what:<62} {:>14} {goal:>14}", measure());
        }
    }

    /// Measures a row in the engine and in native QuickJS-NG, in turns and in CPU time of this thread, and prints both,
    /// unless it is not wanted.
    pub(crate) fn beside_native(
        &mut self,
        what: &str,
        goal: &str,
        rounds: usize,
        mut ours: impl FnMut(),
        mut native: impl FnMut(),
    ) {
        if self.wants(what) {
            let [ours, native] = medians(rounds, [&mut ours, &mut native]).map(milliseconds);
            println!("{what:<62} {ours:>14} {goal:>14} {native:>14}");
        }
    }

    fn wants(&self, what: &str) -> bool {
        self.wanted.as_ref().is_none_or(|part| what.contains(part))
    }
}

/// Returns the median time of a round, after one that is not counted.
pub(crate) fn median(rounds: usize, mut round: impl FnMut()) -> Duration {
    round();
    median_of((0..rounds).map(|_| {
        let begun = Instant::now();
        round();
        begun.elapsed()
    }))
}

/// Returns the median CPU time of a round of each. They take turns, so that a processor that changes its speed does it to
/// both.
pub(crate) fn medians<const N: usize>(rounds: usize, mut all: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times = [(); N].map(|()| Vec::with_capacity(rounds));
    // The first round is not counted.
    for counts in iter::once(false).chain(iter::repeat_n(true, rounds)) {
        for (round, times) in all.iter_mut().zip(&mut times) {
            let begun = cpu_time();
            round();
            if counts {
                times.push(cpu_time().saturating_sub(begun));
            }
        }
    }
    times.map(|times| median_of(times.into_iter()))
}

/// Returns the CPU time that this thread has used.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

/// Returns the middle one.
pub(crate) fn median_of(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.4} ms", time.as_secs_f64() * 1e3)
}

pub(crate) fn per_second(count: usize, time: Duration) -> String {
    format!("{:.0} /s", count as f64 / time.as_secs_f64())
}
