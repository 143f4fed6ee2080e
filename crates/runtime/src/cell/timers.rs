//! The timers of one cell.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Timers by their due time; those due at the same time fire in the order in which they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(Instant, u64, i64)>,
    by_id: HashMap<i64, (Instant, u64)>,
    set: u64,
}

impl Timers {
    /// Returns those that are due at these times.
    pub(super) fn of(due: &[(i64, Instant)]) -> Self {
        let mut timers = Self::default();
        due.iter().for_each(|(id, at)| timers.set_at(*id, *at));
        timers
    }

    /// Returns when each is due, in their order.
    pub(super) fn into_due(self) -> Box<[(i64, Instant)]> {
        self.due.into_iter().map(|(at, _, id)| (id, at)).collect()
    }

    pub(super) fn set(&mut self, id: i64, delay: Duration) {
        self.set_at(id, Instant::now() + delay);
    }

    fn set_at(&mut self, id: i64, at: Instant) {
        self.clear(id);
        self.set += 1;
        self.due.insert((at, self.set, id));
        self.by_id.insert(id, (at, self.set));
    }

    pub(super) fn clear(&mut self, id: i64) {
        if let Some((at, order)) = self.by_id.remove(&id) {
            self.due.remove(&(at, order, id));
        }
    }

    /// Returns when the next timer is due.
    pub(super) fn first_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Tells whether a timer is due.
    pub(super) fn is_due(&self) -> bool {
        self.first_due().is_some_and(|at| at <= Instant::now())
    }

    /// Waits until the next timer is due; for ever when there is none. Cancel safe.
    pub(super) async fn until_due(&self) {
        match self.first_due() {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Takes the next timer.
    pub(super) fn take(&mut self) -> Option<i64> {
        let (_, _, id) = self.due.pop_first()?;
        self.by_id.remove(&id);
        Some(id)
    }
}
