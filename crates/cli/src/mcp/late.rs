//! The delegate of servers that are still being connected: whoever comes through it waits for them.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, LookedUp, Notification,
    ToolCall, ToolError, ToolErrorCode,
};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a call waits for the servers: longer than they are given to be connected.
const PATIENCE: Duration = Duration::from_secs(60);

type Ready = Option<Arc<dyn CodeModeSessionDelegate>>;

/// See the [module](self).
pub(super) struct Late(watch::Receiver<Ready>);

impl Late {
    /// Makes one, and what says that the servers are there.
    pub(super) fn new() -> (Arc<Self>, watch::Sender<Ready>) {
        let (sender, receiver) = watch::channel(None);
        (Arc::new(Self(receiver)), sender)
    }

    fn now(&self) -> Ready {
        self.0.borrow().clone()
    }

    /// Waits for the servers. Cancel safe.
    async fn ready(&self, cancel: &CancellationToken) -> Result<Arc<dyn CodeModeSessionDelegate>, ToolError> {
        let mut ready = self.0.clone();
        let waited = tokio::select! {
            () = cancel.cancelled() => return Err(ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled")),
            waited = timeout(PATIENCE, ready.wait_for(Option::is_some)) => waited,
        };
        let there = waited.ok().and_then(Result::ok).and_then(|ready| ready.clone());
        there.ok_or_else(|| {
            let message = "its server is still being connected; the call was not made";
            ToolError::new(ToolErrorCode::Unavailable, message).with_retryable(true)
        })
    }
}

impl CodeModeSessionDelegate for Late {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move { self.ready(&cancel).await?.invoke_tool(call, cancel).await })
    }

    fn lookup_outcome(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(async move { self.ready(&cancel).await?.lookup_outcome(call, cancel).await })
    }

    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async move {
            match self.now() {
                Some(delegate) => delegate.notify(notification, cancel).await,
                // The log has it.
                None => Ok(()),
            }
        })
    }

    fn cell_closed(&self, cell_id: &CellId) {
        if let Some(delegate) = self.now() {
            delegate.cell_closed(cell_id);
        }
    }
}
