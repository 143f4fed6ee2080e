//! The tools of made-up sessions, and their books, which outlive every process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, LookedUp, Notification,
    ToolCall, ToolDescription, ToolError, ToolErrorCode, ToolHints, ToolName,
};
use tokio::time::sleep;

use super::random::Random;

/// The tools: whether they only read, and whether a call may be made twice with the same key.
const TOOLS: [(&str, bool, bool); 4] =
    [("read", true, true), ("get", false, true), ("pay", false, false), ("ship", false, false)];

/// Returns what a session is told of the tools.
pub(super) fn descriptions() -> Vec<ToolDescription> {
    let describe = |(name, reads, repeatable): (&str, bool, bool)| {
        let mut hints = ToolHints::default();
        hints.read_only = reads;
        hints.idempotent = repeatable;
        ToolName::new(name).ok().map(|name| ToolDescription::new(name, "").with_hints(hints))
    };
    TOOLS.into_iter().filter_map(describe).collect()
}

/// What was done that must not be done twice, by the key of the call: how often.
pub(super) type Books = Arc<Mutex<BTreeMap<String, u64>>>;

/// The tools, as one process has them.
pub(super) struct Tools {
    pub(super) books: Books,
    pub(super) random: Mutex<Random>,
}

impl Tools {
    fn books(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes some time, or none.
    async fn take_time(&self) {
        let ms = {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            if random.once_in(3) { 0 } else { random.below(300) }
        };
        if ms > 0 {
            sleep(Duration::from_millis(ms)).await;
        }
    }

    async fn call(&self, call: ToolCall, cancel: CancellationToken) -> Result<JsonText, ToolError> {
        self.take_time().await;
        if matches!(call.tool.as_str(), "pay" | "ship") {
            if cancel.is_cancelled() {
                return Err(ToolError::new(ToolErrorCode::Cancelled, "cancelled"));
            }
            *self.books().entry(call.idempotency_key()).or_default() += 1;
        }
        self.take_time().await;
        Ok(answer(&call))
    }
}

fn answer(call: &ToolCall) -> JsonText {
    let n = call.input.as_ref().and_then(|input| input.to_value().as_u64()).unwrap_or(0);
    JsonText::from_value(&(n * 2).into())
}

impl CodeModeSessionDelegate for Tools {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(self.call(call, cancel))
    }

    fn lookup_outcome(
        &self,
        call: ToolCall,
        _: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        Box::pin(async move {
            self.take_time().await;
            let was_made = self.books().contains_key(&call.idempotency_key());
            Ok(match (call.tool.as_str(), was_made) {
                ("pay", true) => LookedUp::Answered(answer(&call)),
                ("pay", false) => LookedUp::NeverHappened,
                _ => LookedUp::Unknown,
            })
        })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async {
            self.take_time().await;
            Ok(())
        })
    }

    fn cell_closed(&self, _: &CellId) {}
}
