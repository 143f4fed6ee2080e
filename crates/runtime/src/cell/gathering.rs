//! How soon what a cell did is brought to the disk while nobody waits for it.
//!
//! Whoever lets something out of the session waits until all before it is durable, and has it written at once. The rest
//! matters only after a crash. An answer that cannot be had again is worth a write of its own; what a replay does again
//! by itself, calls of read-only tools included, gathers for a while, and so many of these share one write.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::shared::Core;

/// How long what can be had again may gather.
const GATHERING_TIME: Duration = Duration::from_millis(20);

/// What of a cell is not on its way to the disk yet.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// There is an answer among it that cannot be had again.
    pub(super) is_precious: bool,
    until: Option<Instant>,
}

impl Gathering {
    /// Has it written now, or sees that it will be.
    pub(super) fn flush(&mut self, core: &Arc<Core>) {
        if self.is_precious {
            *self = Self::default();
            core.flush();
        } else if core.is_settled() {
            self.until = None;
        } else {
            self.until.get_or_insert_with(|| Instant::now() + GATHERING_TIME);
        }
    }

    /// Waits until it has gathered for long enough; for ever when there is nothing. Cancel safe.
    pub(super) async fn over(&mut self) {
        let Some(until) = self.until else { return std::future::pending().await };
        sleep_until(until).await;
        self.is_precious = true;
    }
}
