//! Errors: a struct per cause, an enum per operation, a stable code per cause.
//!
//! A message is a lower-case fragment that finishes "failed to …" and is fit for the caller to see. A caller
//! tells causes apart by type or by [`Coded::code`], never by text; `docs/errors/` has a page per code.

mod cause;
mod code;
mod operation;

pub use cause::{
    Corrupt, EngineFailure, HistoryCut, HostLost, InvalidId, InvalidJson, InvalidRequest, InvalidSource,
    InvalidSpec, InvalidToolName, KeyReused, LimitReached, NotifyError, OutcomeExpired, OwnedElsewhere,
    SessionClosed, ShuttingDown, StorageFailed, UnknownCell, UnknownSession, Unsupported,
};
pub use code::{Coded, ErrorCode};
pub use operation::{
    CreateError, DeleteError, ExecuteError, ForkError, ListError, ResumeError, SetToolsError, ShutdownError,
    StoredError, TerminateError, WaitError,
};
