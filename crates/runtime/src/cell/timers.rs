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
    pub(super) fn set(&mut self, id: i64, delay: Duration) {
        self.clear(id);
        self.set += 1;
        let at = Instant::now() + delay;
        self.due.insert((at, self.set, id));
        self.by_id.insert(id, (at, self.set));
    }

    pub(super) fn clear(&mut self, id: i64) {
        if let Some((at, order)) = self.by_id.remove(&id) {
            self.due.remove(&(at, order, id));
        }
    }

    /// Waits for the next timer that is due and takes it; for ever when there is none. Cancel safe.
    pub(super) async fn next(&mut self) -> i64 {
        let Some((at, ..)) = self.due.first().copied() else {
            return std::future::pending().await;
        };
        sleep_until(at).await;
        match self.due.pop_first() {
            Some((_, _, id)) => {
                self.by_id.remove(&id);
                id
            }
            None => std::future::pending().await,
        }
    }
}
