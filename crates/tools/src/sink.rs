//! Where a cell's notifications go. The upstreams have no use for them; whoever embeds Carrel may.

use carrel_contract::error::NotifyError;
use carrel_contract::{CancellationToken, CellId, CodeModeFuture, Notification};

/// Takes what cells say to their owner. Every method has a default that does nothing.
pub trait NotificationSink: Send + Sync + 'static {
    /// Takes a message that a cell sent by `notify()`. The future is dropped only after `cancel` has fired.
    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        let _unused = (notification, cancel);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Learns that a cell is gone, once, after its last callback. Must not block.
    fn cell_closed(&self, cell_id: &CellId) {
        let _unused = cell_id;
    }
}

/// A sink that drops everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl NotificationSink for NoSink {}
