//! The way out of the sandbox.

use crate::error::NotifyError;
use crate::{CancellationToken, CellId, CodeModeFuture, JsonText, SessionId, ToolCall, ToolError};

/// What a session calls when a cell reaches out. The runtime knows its owner through this trait alone.
///
/// Each call gets a token of its own, which fires when the call's cell ends; a delegate that ignores it is
/// abandoned after a grace. A delegate that panics fails the one call. It may call back into the session.
///
/// Its futures run apart from the cell's own task, are begun in the order in which the cell made the calls, and need not
/// return to be given up. One that blocks its thread holds up the later calls of its cell, and the thread, but neither
/// the end of the cell nor another cell; `tool_time` cannot end it before it returns.
pub trait CodeModeSessionDelegate: Send + Sync + 'static {
    /// Performs one tool call and returns its result as JSON.
    ///
    /// The future is polled until it resolves or is dropped; it is dropped only after `cancel` has fired. The tasks of
    /// the runtime may poll it on one thread after another.
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError>;

    /// Says what became of a call that was under way when its session was lost, if that is known: asked before a call is
    /// made again, or its cell is told that nobody knows. By default nobody knows.
    fn lookup_outcome(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        drop((call, cancel));
        Box::pin(std::future::ready(Ok(LookedUp::Unknown)))
    }

    /// Delivers a message that a cell sent by `notify()`, while the cell goes on.
    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError>;

    /// Tells that a cell is gone. Comes exactly once a cell, after its last callback. One that blocks, or panics, is
    /// waited for no longer than the callbacks are.
    fn cell_closed(&self, cell_id: &CellId);
}

/// What is known of a call that was under way when its session was lost. An error is known, too, and is the call's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookedUp {
    /// It was answered so.
    Answered(JsonText),
    /// It never happened: it is made now.
    NeverHappened,
    /// It may or may not have happened.
    Unknown,
}

/// A message from a cell to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The session it comes from.
    pub session_id: SessionId,
    /// The cell it comes from.
    pub cell_id: CellId,
    /// The message.
    pub text: String,
}

impl Notification {
    /// Makes a message.
    #[must_use]
    pub fn new(session_id: SessionId, cell_id: CellId, text: String) -> Self {
        Self { session_id, cell_id, text }
    }
}
