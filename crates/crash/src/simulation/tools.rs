//! The tools of made-up sessions, and their books, which outlive every process.
//!
//! What does them honours idempotency keys as far as a contract with such a server goes that another process may have to
//! rely on, and no further. A process from which its session was taken may still have a call under way: it left when the
//! session was its own, and nobody can take it back. The new owner is told of such a call that it never happened, if it has
//! not yet, and makes it again with the same key. So of two processes that live at the same time the server does a call of
//! one key once, and gives the other its answer. What one process does, or one that lives after it, it does as often as it
//! is asked to, so that nothing hides a call that is made twice; and so it does what is never asked after.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, LookedUp, Notification,
    ToolCall, ToolDescription, ToolError, ToolErrorCode, ToolHints, ToolName,
};
use tokio::time::sleep;

use super::disk::Disk;
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

/// What was done that must not be done twice, by the key of the call: by whom, each time.
pub(super) type Books = Arc<Mutex<BTreeMap<String, Vec<Doer>>>>;

/// A process that has something done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doer {
    pub(super) name: String,
    /// When it lives: others may at the same time.
    pub(super) time: usize,
}

/// The tools, as one process has them.
pub(super) struct Tools {
    pub(super) books: Books,
    pub(super) disk: Arc<Disk>,
    /// When the process lives.
    pub(super) time: usize,
    pub(super) random: Mutex<Random>,
}

impl Tools {
    fn books(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Doer>>> {
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
        self.disk.alive().await;
    }

    fn does(&self, call: &ToolCall) {
        let doer = Doer { name: self.disk.process().to_owned(), time: self.time };
        let mut books = self.books();
        let done = books.entry(call.idempotency_key()).or_default();
        let is_known = |before: &Doer| before.time == doer.time && before.name != doer.name;
        if call.tool.as_str() != "pay" || !done.iter().any(is_known) {
            done.push(doer);
        }
    }

    async fn call(&self, call: ToolCall, cancel: CancellationToken) -> Result<JsonText, ToolError> {
        self.take_time().await;
        if matches!(call.tool.as_str(), "pay" | "ship") {
            if cancel.is_cancelled() {
                return Err(ToolError::new(ToolErrorCode::Cancelled, "cancelled"));
            }
            self.does(&call);
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
