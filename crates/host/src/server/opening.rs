//! How a stream is opened: a session is made, or brought back.

use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::{CodeModeSession, CodeModeSessionProvider, SessionId, SessionSpec};
use carrel_wire::Fault;

use super::delegate::RemoteDelegate;
use super::opened::Keyed;

/// The sessions that were made under keys; none while one is being made.
pub(super) type Made = Mutex<Keyed<Arc<tokio::sync::Mutex<Option<SessionId>>>>>;

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
        made: &Made,
    ) -> Result<Arc<dyn CodeModeSession>, Fault> {
        match self {
            Self::Create { spec, key: None } => provider.create(*spec, delegate).await.map_err(Fault::from),
            Self::Create { spec, key: Some(key) } => {
                // The lock of one key alone is held while others' code runs.
                let slot =
                    made.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(&key, Arc::default);
                let mut made = slot.lock().await;
                if let Some(session_id) = made.clone() {
                    drop(made);
                    return provider.resume(session_id, delegate).await.map_err(Fault::from);
                }
                let session = provider.create(*spec, delegate).await.map_err(Fault::from)?;
                *made = Some(session.id().clone());
                Ok(session)
            }
            Self::Resume(session_id) => provider.resume(session_id, delegate).await.map_err(Fault::from),
        }
    }
}
