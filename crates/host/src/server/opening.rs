//! How a stream is opened: a session is made, or brought back.

use std::sync::Arc;

use carrel_contract::{CodeModeSession, CodeModeSessionProvider, SessionId, SessionSpec};
use carrel_wire::Fault;

use super::delegate::RemoteDelegate;
use super::opened::Keyed;

/// See the [module](self).
pub(super) enum Opening {
    Create { spec: Box<SessionSpec>, key: Option<String> },
    Resume(SessionId),
}

impl Opening {
    /// Opens it.
    pub(super) async fn perform(
        self,
        provider: &dyn CodeModeSessionProvider,
        delegate: Arc<RemoteDelegate>,
        made: &tokio::sync::Mutex<Keyed<SessionId>>,
    ) -> Result<Arc<dyn CodeModeSession>, Fault> {
        match self {
            Self::Create { spec, key: None } => provider.create(*spec, delegate).await.map_err(Fault::from),
            Self::Create { spec, key: Some(key) } => {
                let mut made = made.lock().await;
                if let Some(session_id) = made.get(&key) {
                    return provider.resume(session_id, delegate).await.map_err(Fault::from);
                }
                let session = provider.create(*spec, delegate).await.map_err(Fault::from)?;
                made.insert(key, session.id().clone());
                Ok(session)
            }
            Self::Resume(session_id) => provider.resume(session_id, delegate).await.map_err(Fault::from),
        }
    }
}
