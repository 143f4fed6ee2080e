//! The provider that starts and supervises hosts.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{CreateError, DeleteError, ForkError, HostLost, ListError, ResumeError};
use carrel_contract::{
    CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider, ForkRequest,
    SessionId, SessionSpec,
};

use super::options::ProcessOptions;
use super::pool::Hosts;
use crate::client::{Home, RemoteProvider};

/// Makes sessions in host processes that it starts when they are needed, watches, and replaces when they are lost.
///
/// When a host is lost, its journaled sessions go on in another where they were, running cells included. Sessions in memory go on empty:
/// the cells that ran are terminated with [`TerminationReason::HostLost`](carrel_contract::TerminationReason::HostLost), what waits for them is
/// told so, and the next response has a [`Notice::HostLost`](carrel_contract::Notice::HostLost) that says what else is gone.
/// No host outlives this process; those without a session end with the provider.
///
/// Its futures have to be polled inside a tokio runtime with its I/O and time drivers enabled.
pub struct ProcessProvider {
    sessions: RemoteProvider,
    hosts: Arc<Hosts>,
}

impl ProcessProvider {
    /// Prepares to start hosts. The first starts with the first session.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(options: ProcessOptions) -> io::Result<Self> {
        let hosts = Arc::new(Hosts::new(options)?);
        Ok(Self { sessions: RemoteProvider::new(Arc::clone(&hosts) as _), hosts })
    }

    /// Starts a host before the first session needs it. Cancel safe: a host that is not wanted any more is ended.
    ///
    /// # Errors
    /// When none comes up.
    pub async fn start(&self) -> Result<(), HostLost> {
        self.hosts.connect().await.map(drop)
    }

    /// Ends all hosts: their sessions are given up, and the journaled ones written down and free for another process when this
    /// returns. A host that takes longer than `patience` is killed: what it had is known all the same, and done again.
    /// Whoever holds a session finds its host lost; no other host is started.
    pub async fn close(&self, patience: Duration) {
        self.hosts.close(patience).await;
    }
}

impl CodeModeSessionProvider for ProcessProvider {
    fn create(
        &self,
        spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, CreateError> {
        self.sessions.create(spec, delegate)
    }

    fn resume(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, ResumeError> {
        self.sessions.resume(session_id, delegate)
    }

    fn fork(&self, request: ForkRequest) -> CodeModeFuture<'_, SessionId, ForkError> {
        self.sessions.fork(request)
    }

    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError> {
        self.sessions.list()
    }

    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError> {
        self.sessions.delete(session_id)
    }
}

impl fmt::Debug for ProcessProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProcessProvider").field(&self.sessions).finish()
    }
}
