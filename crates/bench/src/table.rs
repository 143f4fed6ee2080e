//! Rows of figures, printed as they are measured.

use std::time::{Duration, Instant};

/// Prints rows whose name has the wanted part.
pub(crate) struct Table {
    wanted: Option<String>,
}

impl Table {
    pub(crate) fn new(wanted: Option<String>) -> Self {
        println!("{:<62} {:>14} {:>14}", "what", "measured", "goal");
        Self { wanted }
    }

    /// Measures and prints a row, unless it is not wanted.
    pub(crate) fn row(&mut self, what: &str, goal: &str, measure: impl FnOnce() -> String) {
        if self.wanted.as_ref().is_none_or(|part| what.contains(part)) {
            println!("{what:<62} {:>14} {goal:>14}", measure());
        }
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
