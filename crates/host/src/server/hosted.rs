//! A provider, as it is served: to each client that comes, from its hello to its end.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::CodeModeSessionProvider;
use carrel_wire::Hello;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::checker::ClientChecker;
use super::connection::Connection;
use super::opened::KeyRing;
use super::opening::Made;
use crate::link::{LinkError, Outbox, Unwritten, read_messages};

/// How long what is left to say to a client that leaves is tried.
const FAREWELL: Duration = Duration::from_secs(1);
/// Large answers, of all clients, that are read beside their connections.
const LARGE_AT_ONCE: usize = 8;

/// See the [module](self).
pub struct Hosted {
    pub(super) provider: Arc<dyn CodeModeSessionProvider>,
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) linger: Duration,
    pub(super) checker: Option<Arc<ClientChecker>>,
    pub(super) made: Arc<Made>,
    pub(super) keys: Arc<KeyRing>,
    /// Places for large answers that are read beside their connections.
    pub(super) large: Arc<Semaphore>,
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
            checker: None,
            made: Arc::default(),
            keys: Arc::default(),
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            tasks: TaskTracker::new(),
        }
    }

    /// Asks each client for a secret.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// Has clients check the types of their cells: by the checker that the provider was made with.
    #[must_use]
    pub fn checked_by(mut self, checker: Arc<ClientChecker>) -> Self {
        self.checker = Some(checker);
        self
    }

    /// Keeps the sessions of a client whose connection broke for so long, for it to resume them.
    #[must_use]
    pub fn lingering(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Tells whether a client may be served.
    pub(super) fn knows_token(&self, hello: &Hello) -> bool {
        let given = hello.token.as_deref().unwrap_or_default();
        // In a time that says nothing of the token.
        self.token.as_deref().is_none_or(|token| token.as_bytes().ct_eq(given.as_bytes()).into())
    }

    /// Serves one client until it leaves or its stream ends. Its sessions are given up then: ephemeral ones end.
    ///
    /// Dropping the future breaks the connection.
    ///
    /// # Errors
    /// [`ServeError`] when the stream fails, or the client does what the protocol does not allow.
    pub async fn serve(
        &self,
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) -> Result<(), ServeError> {
        self.serve_within(None, reader, writer).await
    }

    /// The same for a client that has to introduce itself in time.
    pub(super) async fn serve_within(
        &self,
        patience: Option<Duration>,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<(), ServeError> {
        let outbox = Arc::new(Outbox::new());
        let mut unwritten = Unwritten::default();
        let mut connection = Connection::new(self, Arc::clone(&outbox));
        let greeted = Arc::clone(&connection.greeted);
        let late = async {
            match patience {
                Some(patience) if timeout(patience, greeted.notified()).await.is_err() => {}
                _ => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            ended = read_messages(&mut reader, &outbox, &mut connection) => ended,
            written = outbox.write_to(&mut unwritten, &mut writer) => written.map_err(LinkError::from),
            overflown = outbox.overflown() => Err(overflown),
            () = late => Err(LinkError::Protocol("it did not say hello in time")),
        };
        let left = matches!(ended, Err(LinkError::Left));
        connection.end(!left && self.linger > Duration::ZERO);
        outbox.finish();
        drop(timeout(FAREWELL, outbox.write_to(&mut unwritten, &mut writer)).await);
        outbox.close();
        match ended {
            Err(LinkError::Left) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Waits until nothing is left of clients that are gone.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
