//! A server over all its connections: lost ones are followed by others.
//!
//! A server that is gone is started or reached again by the next call of one of its tools, not before: nobody may ever
//! want it. A call that was never sent is made over the new connection; one whose outcome is unknown only when its tool
//! says that this is harmless, with the key it had. How soon is the business of [`Backoff`].

use std::sync::{Arc, Weak};
use std::time::Duration;

use rmcp::model::CallToolResult;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::call::CallFailure;
use super::connection::{Connection, Opened};
use super::error::ConnectError;
use super::options::ConnectOptions;
use super::warning::ServerWarning;
use crate::config::ServerConfig;
use crate::shelf::Shelf;
use crate::source::{SourceCall, SourceTool};

/// How long a call waits for its turn to start the server again; when it would be longer, the call fails at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server that says its tools changed may go on saying so before they are listed.
const SETTLING: Duration = Duration::from_millis(100);
/// The time between two lists of a server whose tools change all the time.
const LISTING_PAUSE: Duration = Duration::from_secs(1);

/// A configured server. Dropping it ends its process, without waiting.
pub(crate) struct Upstream {
    name: Arc<str>,
    config: ServerConfig,
    options: ConnectOptions,
    shelf: Arc<Shelf>,
    /// Told when the server says that its tools changed.
    changed: Arc<Notify>,
    closed: CancellationToken,
    /// Held while connecting, on purpose: calls that find the server gone wait for one attempt, not for one each.
    state: Mutex<State>,
}

struct State {
    connection: Option<Arc<Connection>>,
    backoff: Backoff,
    /// Why there is no connection.
    reason: String,
}

/// What came of connecting for the first time.
pub(crate) struct Connected {
    pub(crate) upstream: Upstream,
    pub(crate) tools: Vec<SourceTool>,
    /// What was left out of the tools.
    pub(crate) warnings: Vec<ServerWarning>,
}

impl Upstream {
    /// Connects to a server and lists its tools. Those of later connections go onto `shelf`.
    ///
    /// Cancel safe: dropping the future ends what was started.
    pub(crate) async fn connect(
        config: &ServerConfig,
        options: &ConnectOptions,
        shelf: &Arc<Shelf>,
    ) -> Result<Connected, ConnectError> {
        let mut options = options.clone();
        options.connect_time = config.connect_time.unwrap_or(options.connect_time);
        options.call_time = config.call_time.or(options.call_time);
        let changed = Arc::new(Notify::new());
        let Opened { connection, tools, warnings } = Connection::open(config, &options, &changed).await?;
        let state = State {
            connection: Some(Arc::new(connection)),
            backoff: Backoff::new(options.restart_wait),
            reason: String::new(),
        };
        let upstream = Self {
            name: config.name.as_str().into(),
            config: config.clone(),
            options,
            shelf: Arc::clone(shelf),
            changed,
            closed: CancellationToken::new(),
            state: Mutex::new(state),
        };
        Ok(Connected { upstream, tools, warnings })
    }

    /// Calls a tool. When `cancel` fires, or the time for calls is up, the server is told and not waited for.
    ///
    /// Cancel safe: dropping the future tells the server too.
    pub(crate) async fn call(
        &self,
        call: &SourceCall,
        repeatable: bool,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, CallFailure> {
        if cancel.is_cancelled() {
            return Err(CallFailure::Cancelled);
        }
        let answered = self.call_until_answered(call, repeatable, cancel);
        let Some(after) = self.options.call_time else { return answered.await };
        tokio::time::timeout(after, answered).await.unwrap_or(Err(CallFailure::TimedOut { after }))
    }

    async fn call_until_answered(
        &self,
        call: &SourceCall,
        repeatable: bool,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, CallFailure> {
        let mut unknown = None;
        let mut unsent = false;
        loop {
            let outcome = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(CallFailure::Cancelled),
                connection = self.connection() => match connection {
                    Ok(connection) => self.call_over(&connection, call, cancel).await,
                    Err(failure) => Err(failure),
                },
            };
            match (outcome, unknown.take()) {
                (Err(CallFailure::OutcomeUnknown { reason }), None)
                    if repeatable && !self.closed.is_cancelled() =>
                {
                    tracing::info!(server = %self.name, tool = call.tool, "a call was lost and is made again");
                    unknown = Some(reason);
                }
                (Err(CallFailure::Unsent { .. }), before) if !unsent => {
                    unsent = true;
                    unknown = before;
                }
                // The second try says nothing of what became of the first.
                (
                    Err(
                        CallFailure::Unavailable { reason: again, .. }
                        | CallFailure::Unsent { reason: again },
                    ),
                    Some(reason),
                ) => {
                    let reason = format!("{reason}, and could not be called again: {again}");
                    return Err(CallFailure::OutcomeUnknown { reason });
                }
                (outcome, _) => return outcome,
            }
        }
    }

    async fn call_over(
        &self,
        connection: &Connection,
        call: &SourceCall,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, CallFailure> {
        tokio::select! {
            biased;
            result = connection.call(call, &self.options, cancel) => result,
            // Also over a connection that another one has followed.
            () = self.closed.cancelled() => {
                Err(CallFailure::OutcomeUnknown { reason: "its connection was closed".to_owned() })
            }
        }
    }

    /// Returns the connection, or makes another where it was lost. Cancel safe.
    async fn connection(&self) -> Result<Arc<Connection>, CallFailure> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            let Some(lost_at) = connection.lost_at() else { return Ok(Arc::clone(connection)) };
            let (since, reason) = (connection.since(), connection.last_words());
            state.connection = None;
            state.backoff.lost(since, lost_at);
            state.reason = reason;
        }
        if self.closed.is_cancelled() {
            return Err(CallFailure::Unavailable { reason: "it was closed".to_owned(), retryable: false });
        }
        let wait = state.backoff.wait(Instant::now());
        if wait > PATIENCE {
            let seconds = wait.as_secs_f64().ceil();
            let reason = format!("it is tried again in {seconds} s at the soonest; last, {}", state.reason);
            return Err(CallFailure::Unavailable { reason, retryable: true });
        }
        let opening = async {
            tokio::time::sleep(wait).await;
            Box::pin(Connection::open(&self.config, &self.options, &self.changed)).await
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = self.closed.cancelled() => {
                return Err(CallFailure::Unavailable { reason: "it was closed".to_owned(), retryable: false });
            }
        };
        match opened {
            Ok(Opened { connection, tools, warnings }) => {
                tracing::info!(server = %self.name, lost = state.reason, "the server was connected again");
                self.shelve(tools, &warnings);
                let connection = Arc::new(connection);
                state.connection = Some(Arc::clone(&connection));
                Ok(connection)
            }
            Err(error) => {
                state.backoff.failed(Instant::now());
                state.reason = error.without_address();
                Err(CallFailure::Unavailable { reason: state.reason.clone(), retryable: true })
            }
        }
    }

    fn shelve(&self, tools: Vec<SourceTool>, warnings: &[ServerWarning]) {
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        self.shelf.put([(Arc::clone(&self.name), tools)]);
    }

    /// Lists the server's tools whenever it says that they changed, until the server is dropped.
    ///
    /// A server that says so all the time is listed once a second.
    pub(crate) fn follow(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let (upstream, changed, closed) =
            (Arc::downgrade(self), Arc::clone(&self.changed), self.closed.clone());
        let following = async move {
            loop {
                changed.notified().await;
                tokio::time::sleep(SETTLING).await;
                let Some(upstream) = Weak::upgrade(&upstream) else { return };
                upstream.list().await;
                drop(upstream);
                tokio::time::sleep(LISTING_PAUSE).await;
            }
        };
        async move {
            tokio::select! {
                () = following => {}
                () = closed.cancelled() => {}
            }
        }
    }

    async fn list(&self) {
        let connection = self.state.lock().await.connection.clone();
        // A connection that is made later lists them anyway.
        let Some(connection) = connection.filter(|connection| connection.lost_at().is_none()) else { return };
        match connection.list(&self.config, &self.options, &self.changed).await {
            Ok((tools, warnings)) => self.shelve(tools, &warnings),
            Err(error) => {
                tracing::warn!(server = %self.name, %error, "the server's tools changed and could not be listed");
            }
        }
    }

    /// Ends the connection and, when it is a child process, the process. Calls under way end at once.
    ///
    /// Idempotent. Not cancel safe in one point: a close that is dropped halfway goes on without being waited for.
    pub(crate) async fn close(&self) {
        self.closed.cancel();
        let connection = self.state.lock().await.connection.clone();
        if let Some(connection) = connection {
            connection.close().await;
        }
    }
}
