//! How others end a cell.

use std::sync::OnceLock;

use carrel_contract::{CancellationToken, TerminationReason};
use carrel_engine::Stopper;

/// Ends one cell, from anywhere. The first reason given is the one that counts.
pub(crate) struct CellControl {
    reason: OnceLock<TerminationReason>,
    requested: CancellationToken,
    stopper: Stopper,
}

impl CellControl {
    pub(crate) fn new(stopper: Stopper) -> Self {
        Self { reason: OnceLock::new(), requested: CancellationToken::new(), stopper }
    }

    /// Asks for the end and stops the guest. Returns at once; the outcome appears in the log.
    pub(crate) fn terminate(&self, reason: TerminationReason) {
        self.reason.get_or_init(|| reason);
        self.requested.cancel();
        self.stopper.stop();
    }

    /// Waits until the end is asked for.
    pub(crate) async fn requested(&self) -> TerminationReason {
        self.requested.cancelled().await;
        self.reason()
    }

    /// Returns why; only sensible once the end is asked for.
    pub(crate) fn reason(&self) -> TerminationReason {
        self.reason.get().cloned().unwrap_or(TerminationReason::Requested)
    }
}
