//! Where sessions come from.

use std::sync::Arc;

use crate::error::{CreateError, DeleteError, ListError, ResumeError};
use crate::{CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, SessionId, SessionSpec};

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

    /// Lists the sessions it keeps, sorted by id.
    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError>;

    /// Shuts a session down and forgets it with all it kept.
    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError>;
}
