//! One session.

use crate::error::{ExecuteError, SetToolsError, ShutdownError, TerminateError, WaitError};
use crate::{
    CellId, CellResponse, CodeModeFuture, EventStream, ExecuteRequest, Seq, SessionId, StartedCell,
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
    fn execute(&self, request: ExecuteRequest) -> CodeModeFuture<'_, StartedCell, ExecuteError>;

    /// Replaces the tools. Cells that are admitted from now on see these; those that run keep what they have.
    fn set_tools(&self, tools: Vec<ToolDescription>) -> CodeModeFuture<'_, (), SetToolsError>;

    /// Observes cells until its condition holds or its deadline passes. Dropping the future consumes nothing.
    fn wait(&self, request: WaitRequest) -> CodeModeFuture<'_, WaitResponse, WaitError>;

    /// Ends a cell and returns its outcome: [`CellResponse::Terminated`], or the natural outcome that was
    /// there first. A second call gets the same. Dropping the future does not undo the termination.
    fn terminate(&self, cell_id: CellId) -> CodeModeFuture<'_, CellResponse, TerminateError>;

    /// Reads the log after a cursor and follows it.
    fn events(&self, after: Seq) -> EventStream;

    /// Ends every cell and refuses new ones. Idempotent; finishes within
    /// [`Limits::shutdown_time`](crate::Limits::shutdown_time) whatever the delegate does. Dropping the
    /// future does not undo it.
    fn shutdown(&self) -> CodeModeFuture<'_, (), ShutdownError>;
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionState {
    /// It takes cells.
    Open,
    /// It is ending its cells and takes no new ones.
    ShuttingDown,
    /// It has ended.
    Closed,
}
