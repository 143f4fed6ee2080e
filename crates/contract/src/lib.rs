//! The interface of a code-mode session, and nothing behind it.
//!
//! A *session* belongs to one agent. The agent's model writes small programs, *cells*, and the session runs
//! them: [`CodeModeSession::execute`] admits one, [`CodeModeSession::wait`] observes it, and everything it
//! does on the way (output, tool calls, its end) is an [`Event`] with a sequence number. A cell reaches the
//! world only through the session's [`CodeModeSessionDelegate`].
//!
//! This crate holds the traits, the types that cross them and their errors. It knows no executor, no engine,
//! no store and no wire format; whoever implements or calls a session depends on this crate alone. The
//! feature `testing` adds the suite that every provider has to pass.

mod checker;
mod cursor;
mod delegate;
mod dialect;
pub mod error;
mod event;
mod future;
mod id;
mod json;
mod limits;
mod name;
mod output;
mod provider;
mod request;
mod response;
mod session;
mod spec;
mod status;
mod tool;

#[cfg(feature = "testing")]
pub mod testing;

pub use checker::{CellChecker, CheckRequest, CheckerUnavailable, EarlierCell, TypeDiagnostic};
pub use cursor::Seq;
pub use delegate::{CodeModeSessionDelegate, LookedUp, Notification};
pub use dialect::Dialect;
pub use event::{Event, EventKind, EventStream, StreamItem};
pub use future::CodeModeFuture;
pub use id::{CellId, IdempotencyKey, SessionId, ToolCallId};
pub use json::JsonText;
pub use limits::Limits;
pub use name::SessionName;
pub use output::{ConsoleLevel, Content, ImageDetail, OutputItem, TOKEN_BYTES};
pub use provider::CodeModeSessionProvider;
pub use request::{ExecuteRequest, ForkRequest, Read, WaitRequest, WaitUntil};
pub use response::{
    CellError, CellErrorKind, CellResponse, Completed, Location, Notice, Observation, StartedCell,
    Terminated, TerminationReason, Usage, WaitResponse, Yielded,
};
pub use session::{CodeModeSession, SessionState, StoredKey};
pub use spec::{Durability, SessionMode, SessionSpec};
pub use status::{ApprovalAwaited, CallObserver, CallStatus, PersonAwaited, ToolProgress};
pub use tokio_util::sync::CancellationToken;
pub use tool::{
    ToolCall, ToolDescription, ToolError, ToolErrorCode, ToolHints, ToolKind, ToolName, ToolOrigin,
    ToolOutput,
};
