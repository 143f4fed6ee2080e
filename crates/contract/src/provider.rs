//! Where sessions come from.

use std::sync::Arc;

use crate::error::{CreateError, DeleteError, ForkError, ListError, ResumeError, Unsupported};
use crate::{CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, ForkRequest, SessionId, SessionSpec};

/// Makes sessions. Callers hold an injected `Arc<dyn CodeModeSessionProvider>` and never a concrete service.
pub trait CodeModeSessionProvider: Send + Sync {
    /// Makes a session.
    fn create(
        &self,
        spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, CreateError>;

    /// Brings back a session that this provider keeps: running, hibernated, or left by a crash.
    fn resume(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, ResumeError>;

    /// Makes a session of what a journaled one was at an event of its log, and returns its id: nothing of it runs before it
    /// is resumed. Its cells that ran at that event go on from there then, as after a crash: what was under way is made
    /// good, as [`resume`](Self::resume) does. The calls that it makes are its own.
    ///
    /// The other session is not disturbed, whoever has it. A fork is there whole or not at all. By default there is none.
    fn fork(&self, request: ForkRequest) -> CodeModeFuture<'_, SessionId, ForkError> {
        drop(request);
        let (field, value, offered) = ("fork", "true", "sessions of their own");
        Box::pin(std::future::ready(Err(Unsupported { field, value, offered }.into())))
    }

    /// Lists the sessions it keeps, sorted by id.
    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError>;

    /// Shuts a session down and forgets it with all it kept.
    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError>;
}
