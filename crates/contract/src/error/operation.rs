//! One enum per operation, listing exactly its causes.

use super::cause::{
    Corrupt, EngineFailure, HistoryCut, HostLost, InvalidRequest, InvalidSource, InvalidSpec, KeyReused,
    LimitReached, OutcomeExpired, OwnedElsewhere, SessionClosed, ShuttingDown, StorageFailed, UnknownCell,
    UnknownSession, Unsupported,
};
use super::code::{Coded, ErrorCode};

macro_rules! operation {
    ($(#[$doc:meta])* $name:ident: $($cause:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("See [`", stringify!($cause), "`].")]
                #[error(transparent)]
                $cause(#[from] $cause),
            )+
        }

        impl Coded for $name {
            fn code(&self) -> ErrorCode {
                match self {
                    $(Self::$cause(cause) => cause.code(),)+
                }
            }

            fn retryable(&self) -> bool {
                match self {
                    $(Self::$cause(cause) => cause.retryable(),)+
                }
            }
        }
    };
}

operation! {
    /// Why [`create`](crate::CodeModeSessionProvider::create) failed.
    CreateError: InvalidSpec, Unsupported, LimitReached, EngineFailure, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`resume`](crate::CodeModeSessionProvider::resume) failed.
    ResumeError: UnknownSession, SessionClosed, OwnedElsewhere, Corrupt, StorageFailed, EngineFailure, HostLost
}
operation! {
    /// Why [`fork`](crate::CodeModeSessionProvider::fork) failed. There is no fork, and the origin is as it was.
    ForkError: UnknownSession, InvalidRequest, HistoryCut, Unsupported, OwnedElsewhere, Corrupt, StorageFailed, EngineFailure, HostLost
}
operation! {
    /// Why [`list`](crate::CodeModeSessionProvider::list) failed.
    ListError: Corrupt, EngineFailure, HostLost
}
operation! {
    /// Why [`delete`](crate::CodeModeSessionProvider::delete) failed.
    DeleteError: UnknownSession, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`execute`](crate::CodeModeSession::execute) failed. Nothing is left of the request.
    ExecuteError: InvalidSource, KeyReused, LimitReached, ShuttingDown, SessionClosed, EngineFailure, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`set_tools`](crate::CodeModeSession::set_tools) failed. The session has the tools that it had.
    SetToolsError: InvalidSpec, ShuttingDown, SessionClosed, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`wait`](crate::CodeModeSession::wait) failed.
    WaitError: InvalidRequest, UnknownCell, OutcomeExpired, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`stored`](crate::CodeModeSession::stored) failed.
    StoredError: Unsupported, SessionClosed, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`terminate`](crate::CodeModeSession::terminate) failed.
    TerminateError: UnknownCell, OutcomeExpired, OwnedElsewhere, StorageFailed, HostLost
}
operation! {
    /// Why [`shutdown`](crate::CodeModeSession::shutdown) failed.
    ShutdownError: OwnedElsewhere, StorageFailed, HostLost
}
