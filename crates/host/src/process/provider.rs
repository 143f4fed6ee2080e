//! The provider that starts and supervises hosts.

use std::io;
use std::sync::Arc;

use carrel_contract::error::{CreateError, DeleteError, ForkError, ListError, ResumeError};
use carrel_contract::{
    CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider, ForkRequest,
    SessionId, SessionSpec,
};

use super::options::ProcessOptions;
use super::pool::Hosts;
use crate::client::RemoteProvider;

/// Makes sessions in host processes that it starts when they are needed, watches, and replaces when they are lost.
///
/// When a host is lost, its journaled sessions go on in another where they were, running cells included. Sessions in memory go on empty:
/// the cells that ran are terminated with [`TerminationReason::HostLost`](carrel_contract::TerminationReason::HostLost), what waits for them is
/// told so, and the next response has a [`Notice::HostLost`](carrel_contract::Notice::HostLost) that says what else is gone.
/// No host outlives this process; those without a session end with the provider.
///
/// Its futures have to be polled inside a tokio runtime with its I/O and time drivers enabled.
#[derive(Debug)]
pub struct ProcessProvider(RemoteProvider);

impl ProcessProvider {
    /// Prepares to start hosts. The first starts with the first session.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(options: ProcessOptions) -> io::Result<Self> {
        Ok(Self(RemoteProvider::new(Arc::new(Hosts::new(options)?))))
    }
}

impl CodeModeSessionProvider for ProcessProvider {
    fn create(
        &self,
        spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, CreateError> {
        self.0.create(spec, delegate)
    }

    fn resume(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, ResumeError> {
        self.0.resume(session_id, delegate)
    }

    fn fork(&self, request: ForkRequest) -> CodeModeFuture<'_, SessionId, ForkError> {
        self.0.fork(request)
    }

    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError> {
        self.0.list()
    }

    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError> {
        self.0.delete(session_id)
    }
}
