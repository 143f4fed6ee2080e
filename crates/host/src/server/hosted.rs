//! A provider, as it is served: to each client that comes, from its hello to its end.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CodeModeSessionProvider, SessionId};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::TaskTracker;

use super::connection::{Connection, GOODBYE};
use super::opened::{KeyRing, Keyed};
use crate::link::{LinkError, MAX_MESSAGE_BYTES, Outbox, read_messages};

/// How long what is left to say to a client that leaves is tried.
const FAREWELL: Duration = Duration::from_secs(1);

/// See the [module](self).
pub struct Hosted {
    pub(super) provider: Arc<dyn CodeModeSessionProvider>,
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) linger: Duration,
    pub(super) made: Arc<tokio::sync::Mutex<Keyed<SessionId>>>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) tasks: TaskTracker,
}

/// Why serving a client ended before the client left.
#[derive(Debug, thiserror::Error)]
#[error("serve a client: {0}")]
pub struct ServeError(#[from] LinkError);

impl ServeError {
    /// No more clients can come.
    pub(super) fn accept(error: std::io::Error) -> Self {
        Self(LinkError::Io(error))
    }
}

impl Hosted {
    /// Serves a provider under a name, which is told to clients.
    pub fn new(provider: Arc<dyn CodeModeSessionProvider>, name: impl Into<String>) -> Self {
        Self {
            provider,
            name: name.into(),
            token: None,
            linger: Duration::ZERO,
            made: Arc::default(),
            keys: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Asks each client for a secret.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// Keeps the sessions of a client whose connection broke for so long, for it to resume them.
    #[must_use]
    pub fn lingering(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Serves one client until it leaves or its stream ends. Its sessions are given up then: ephemeral ones end.
    ///
    /// Dropping the future breaks the connection.
    ///
    /// # Errors
    /// [`ServeError`] when the stream fails, or the client does what the protocol does not allow.
    pub async fn serve(
        &self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), ServeError> {
        let outbox = Arc::new(Outbox::new());
        let mut connection = Connection::new(self, Arc::clone(&outbox));
        let read = async {
            let deliver = |stream: u32, bytes: &[u8]| connection.take(stream, bytes);
            read_messages(&mut reader, &outbox, MAX_MESSAGE_BYTES, deliver).await
        };
        let ended = tokio::select! {
            ended = read => ended,
            written = outbox.write_to(&mut writer) => written.map_err(LinkError::from),
        };
        let left = connection.is_leaving();
        connection.end(!left && self.linger > Duration::ZERO);
        outbox.finish();
        drop(tokio::time::timeout(FAREWELL, outbox.write_to(&mut writer)).await);
        outbox.close();
        match ended {
            Err(LinkError::Protocol(GOODBYE)) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Waits until nothing is left of clients that are gone.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
