//! What was seen of a session's log on its way to readers: by that a response is known to be stale.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use carrel_contract::{CellId, EventKind, Seq, StreamItem};

/// Cells of which the last entry is remembered.
const SEEN: usize = 4096;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Sightings {
    /// The last entry of each cell that is alive.
    seen: Mutex<HashMap<CellId, Seq>>,
    ends: AtomicU64,
    /// The newest entry that came.
    newest: AtomicU64,
}

impl Sightings {
    /// Notes the end of a cell that was told apart from the log.
    pub(super) fn end(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }

    /// Looks at entries of the log on their way to a reader.
    pub(super) fn see(&self, items: &[StreamItem]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            let StreamItem::Event(event) = item else { continue };
            self.newest.fetch_max(event.seq.0, Ordering::SeqCst);
            if matches!(event.kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. }) {
                seen.remove(&event.cell_id);
                self.ends.fetch_add(1, Ordering::SeqCst);
            } else {
                seen.insert(event.cell_id.clone(), event.seq);
            }
        }
        if seen.len() > SEEN {
            seen.clear();
        }
    }

    /// Returns the number of the newest entry that came, as the host counts.
    pub(super) fn newest(&self) -> Seq {
        Seq(self.newest.load(Ordering::SeqCst))
    }

    /// Returns how many ends of cells were seen.
    pub(super) fn ends(&self) -> u64 {
        self.ends.load(Ordering::SeqCst)
    }

    /// Returns the last entry that was seen of a cell, by the names of the host, while it is alive.
    pub(super) fn last_seen(&self, cell_id: &CellId) -> Option<Seq> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(cell_id).copied()
    }
}
