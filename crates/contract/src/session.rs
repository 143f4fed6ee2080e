//! One session.

use serde::{Deserialize, Serialize};

use crate::error::{
    ExecuteError, SetToolsError, ShutdownError, StoredError, TerminateError, Unsupported, WaitError,
};
use crate::{
    CellId, CellResponse, CodeModeFuture, EventStream, ExecuteRequest, Read, Seq, SessionId, StartedCell,
    ToolDescription, WaitRequest, WaitResponse,
};

/// A session: it owns its running cells and its stored values.
///
/// Usable as `Arc<dyn CodeModeSession>` from any number of places at once. Every future may be dropped at any
/// point: nothing is lost and no half state is left.
pub trait CodeModeSession: Send + Sync {
    /// Returns its id.
    fn id(&self) -> &SessionId;

    /// Returns what it is doing.
    fn state(&self) -> SessionState;

    /// Admits a cell and returns its receipt at once.
    ///
    /// Dropping this future before it resolves leaves either no cell or a running one that
    /// [`events`](Self::events) shows; a running cell is never half admitted.
    ///
    /// A request whose [`idempotency_key`](ExecuteRequest::idempotency_key) is that of a cell which the session runs, or
    /// whose outcome it keeps, runs nothing: its receipt is that cell's, and its first response is read from the cell's
    /// beginning. So it is after the session was resumed, too. The source has to be the same, to the byte: with another it
    /// fails with [`KeyReused`](crate::error::KeyReused).
    fn execute(&self, request: ExecuteRequest) -> CodeModeFuture<'_, StartedCell, ExecuteError>;

    /// Replaces the tools. Cells that are admitted from now on see these; those that run keep what they have.
    fn set_tools(&self, tools: Vec<ToolDescription>) -> CodeModeFuture<'_, (), SetToolsError>;

    /// Lists the keys of its stored values, sorted, with the size of each: what a cell that is admitted now would find. By
    /// default that is not known. Dropping the future changes nothing.
    fn stored(&self) -> CodeModeFuture<'_, Vec<StoredKey>, StoredError> {
        let (field, value, offered) = ("stored", "a list", "`load(key)` in a cell");
        Box::pin(std::future::ready(Err(Unsupported { field, value, offered }.into())))
    }

    /// Observes cells until its condition holds or its deadline passes. Dropping the future consumes nothing.
    fn wait(&self, request: WaitRequest) -> CodeModeFuture<'_, WaitResponse, WaitError>;

    /// Moves the session's reader past what a look gave it, and marks an outcome in it as read. Whatever has gone since is passed over in silence.
    fn note_read(&self, read: Read);

    /// Lets go of what memory holds of a cell that has ended and will not be asked for again: from now on it may be gone, as one
    /// that others have followed. By default it stays.
    fn forget(&self, _cell_id: &CellId) {}

    /// Ends a cell and returns its outcome: [`CellResponse::Terminated`], or the natural outcome that was
    /// there first. A second call gets the same. Dropping the future does not undo the termination.
    fn terminate(&self, cell_id: CellId) -> CodeModeFuture<'_, CellResponse, TerminateError>;

    /// Reads the log after a cursor and follows it, until the session has shut down, or can no longer be written down: a
    /// [`wait`](Self::wait) then says why.
    fn events(&self, after: Seq) -> EventStream;

    /// Ends every cell and refuses new ones. Idempotent; finishes within
    /// [`Limits::shutdown_time`](crate::Limits::shutdown_time) whatever the delegate does. Dropping the
    /// future does not undo it.
    fn shutdown(&self) -> CodeModeFuture<'_, (), ShutdownError>;
}

/// A stored value, by its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StoredKey {
    /// The key.
    pub key: String,
    /// The size of its value as JSON, in bytes.
    pub value_bytes: usize,
}

impl StoredKey {
    /// Describes a stored value.
    #[must_use]
    pub fn new(key: impl Into<String>, value_bytes: usize) -> Self {
        Self { key: key.into(), value_bytes }
    }
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionState {
    /// It takes cells.
    Open,
    /// It is ending its cells and takes no new ones.
    ShuttingDown,
    /// It has ended, or it is kept and can no longer be written down: what was written goes on in a session that is resumed.
    Closed,
}
