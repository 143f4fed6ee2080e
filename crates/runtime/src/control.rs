//! How others end a cell.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use carrel_contract::{CancellationToken, TerminationReason};
use carrel_engine::Stopper;

/// Ends one cell, from anywhere. The first reason given is the one that counts.
pub(crate) struct CellControl {
    reason: OnceLock<TerminationReason>,
    /// It is not to end, only to leave.
    suspended: AtomicBool,
    /// The same, while its session sleeps.
    parked: AtomicBool,
    requested: CancellationToken,
    stopper: Stopper,
}

impl CellControl {
    pub(crate) fn new(stopper: Stopper) -> Self {
        Self {
            reason: OnceLock::new(),
            suspended: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            requested: CancellationToken::new(),
            stopper,
        }
    }

    /// Asks for the end and stops the guest. Returns at once; the outcome appears in the log.
    pub(crate) fn terminate(&self, reason: TerminationReason) {
        self.reason.get_or_init(|| reason);
        self.requested.cancel();
        self.stopper.stop();
    }

    /// Asks the cell to leave without an end: its journal goes on with it, elsewhere or later. Returns at once.
    pub(crate) fn suspend(&self) {
        self.suspended.store(true, Ordering::Release);
        self.requested.cancel();
        self.stopper.stop();
    }

    /// Asks the cell, which is at rest, to leave for as long as its session sleeps. Returns at once.
    pub(crate) fn park(&self) {
        self.parked.store(true, Ordering::Release);
        self.requested.cancel();
    }

    /// Tells whether the cell is to leave while its session sleeps.
    pub(crate) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::Acquire)
    }

    /// Tells whether the cell is to leave without an end. One that was terminated before is not.
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::Acquire) && self.reason.get().is_none()
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
