//! Counts the calls that are admitted, and refuses those past a limit.
//!
//! A call is counted when it is admitted, before a person is asked for it and whatever becomes of it then: asking
//! again and again is bounded by the same numbers. What is refused is not counted. All counters a call falls under
//! count it, or none does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::CellId;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::limits::PolicyLimits;
use super::rule::Source;

/// How long `calls_per_minute` looks back.
const MINUTE: Duration = Duration::from_secs(60);

/// The counters of one session.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counters: HashMap<Source, Counter>,
}

#[derive(Debug)]
struct Counter {
    limits: PolicyLimits,
    by_cell: HashMap<CellId, u64>,
    of_session: u64,
    /// When the calls of the last minute were admitted, oldest first: as many at most as are allowed.
    recent: VecDeque<Instant>,
    places: Option<Arc<Semaphore>>,
}

/// A limit that is reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) whose: Source,
    pub(super) limit: &'static str,
    pub(super) value: u64,
    /// When a call fits again, if waiting helps.
    pub(super) after: Option<Duration>,
}

impl Meter {
    pub(super) fn new(limits: impl IntoIterator<Item = (Source, PolicyLimits)>) -> Self {
        let counter = |limits: PolicyLimits| Counter {
            places: limits.concurrent_calls.map(|n| Arc::new(Semaphore::new(n as usize))),
            limits,
            by_cell: HashMap::new(),
            of_session: 0,
            recent: VecDeque::new(),
        };
        Self { counters: limits.into_iter().map(|(source, limits)| (source, counter(limits))).collect() }
    }

    /// Admits a call of a cell under all of these counters, or none.
    pub(super) fn admit(&mut self, sources: &[Source], cell: &CellId, now: Instant) -> Result<(), Reached> {
        for &whose in sources {
            if let Some(counter) = self.counters.get_mut(&whose)
                && let Err((limit, value, after)) = counter.check(cell, now)
            {
                return Err(Reached { whose, limit, value, after });
            }
        }
        for source in sources {
            if let Some(counter) = self.counters.get_mut(source) {
                counter.count(cell, now);
            }
        }
        Ok(())
    }

    /// Returns the places for calls at once, in an order that is the same for all calls.
    pub(super) fn places(&self, sources: &[Source]) -> Vec<Arc<Semaphore>> {
        let mut sources = sources.to_vec();
        sources.sort_unstable();
        sources.iter().filter_map(|source| self.counters.get(source)?.places.clone()).collect()
    }

    /// Forgets a cell.
    pub(super) fn close(&mut self, cell: &CellId) {
        for counter in self.counters.values_mut() {
            counter.by_cell.remove(cell);
        }
    }
}

impl Counter {
    fn check(&mut self, cell: &CellId, now: Instant) -> Result<(), (&'static str, u64, Option<Duration>)> {
        let of_cell = self.by_cell.get(cell).copied().unwrap_or_default();
        if let Some(limit) = self.limits.calls_per_cell.filter(|&limit| of_cell >= limit) {
            return Err(("calls_per_cell", limit, None));
        }
        if let Some(limit) = self.limits.calls_per_session.filter(|&limit| self.of_session >= limit) {
            return Err(("calls_per_session", limit, None));
        }
        while self.recent.front().is_some_and(|&admitted| now.duration_since(admitted) >= MINUTE) {
            self.recent.pop_front();
        }
        if let Some(limit) = self.limits.calls_per_minute.filter(|&limit| self.recent.len() >= limit as usize)
        {
            let oldest =
                self.recent.front().map(|&admitted| MINUTE.saturating_sub(now.duration_since(admitted)));
            return Err(("calls_per_minute", u64::from(limit), oldest));
        }
        Ok(())
    }

    fn count(&mut self, cell: &CellId, now: Instant) {
        if self.limits.calls_per_cell.is_some() {
            *self.by_cell.entry(cell.clone()).or_default() += 1;
        }
        self.of_session = self.of_session.saturating_add(1);
        if self.limits.calls_per_minute.is_some() {
            self.recent.push_back(now);
        }
    }
}
