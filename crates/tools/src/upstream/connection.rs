//! One connection to a server: it stands or is lost, and a lost one stays lost.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotification,
    CancelledNotificationParam, ClientNotification, ClientRequest, RequestId, RequestMetaObject,
    ServerResult,
};
use rmcp::service::{PeerRequestOptions, RunningService};
use rmcp::{Peer, RoleClient, ServiceError};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Client};
use super::call::{self, CallFailure};
use super::error::ConnectError;
use super::options::ConnectOptions;
use super::trace::TraceSource;
use super::vitals::Vitals;
use super::warning::ServerWarning;
use crate::config::ServerConfig;
use crate::source::{SourceCall, SourceTool};

/// Where a call's idempotency key stands in its `_meta`. MCP has no name for it.
const IDEMPOTENCY_KEY: &str = "carrel/idempotencyKey";

/// A connection to one server. Dropping it ends the server's process, without waiting.
pub(super) struct Connection {
    peer: Peer<RoleClient>,
    /// The task that serves the connection; `None` once it is closed.
    service: Mutex<Option<RunningService<RoleClient, Client>>>,
    vitals: Arc<Vitals>,
    close_grace: Duration,
    since: Instant,
    /// When it was found to be of no more use to new calls. Those under way go on.
    retired: OnceLock<Instant>,
}

/// What came of connecting.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) tools: Vec<SourceTool>,
    /// What was left out of the tools.
    pub(super) warnings: Vec<ServerWarning>,
}

impl Connection {
    /// Connects to a server and lists its tools.
    ///
    /// Cancel safe: dropping the future ends what was started.
    pub(super) async fn open(
        config: &ServerConfig,
        options: &ConnectOptions,
        changed: &Arc<Notify>,
    ) -> Result<Opened, ConnectError> {
        let vitals = Arc::new(Vitals::new(config.redactor()));
        let attempt = Attempt::new(config, options, &vitals, changed);
        let service = attempt.handshake().await?;
        let mut listing = attempt.list_tools(service.peer()).await?;
        let warnings = listing.warnings(&config.name, options.tools);
        let tools = listing.tools.into_iter().map(Into::into).collect();
        let connection = Self {
            peer: service.peer().clone(),
            service: Mutex::new(Some(service)),
            vitals,
            close_grace: options.close_grace,
            since: Instant::now(),
            retired: OnceLock::new(),
        };
        Ok(Opened { connection, tools, warnings })
    }

    /// Lists the tools again.
    pub(super) async fn list(
        &self,
        config: &ServerConfig,
        options: &ConnectOptions,
        changed: &Arc<Notify>,
    ) -> Result<(Vec<SourceTool>, Vec<ServerWarning>), ConnectError> {
        let mut listing = Attempt::new(config, options, &self.vitals, changed).list_tools(&self.peer).await?;
        let warnings = listing.warnings(&config.name, options.tools);
        Ok((listing.tools.into_iter().map(Into::into).collect(), warnings))
    }

    /// Returns since when it has been standing.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Returns when it was lost, if it was.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        let lost = self.vitals.ended_at().or_else(|| self.retired.get().copied());
        lost.or_else(|| self.peer.is_transport_closed().then(Instant::now))
    }

    /// Says how it was lost, and what the server said last.
    pub(super) fn last_words(&self) -> String {
        format!("{}{}", call::ending(&self.vitals), self.vitals.last_words())
    }

    /// Calls a tool. When `cancel` fires, the server is told and not waited for.
    ///
    /// Cancel safe: dropping the future tells the server too.
    pub(super) async fn call(
        &self,
        call: &SourceCall,
        options: &ConnectOptions,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, CallFailure> {
        if self.lost_at().is_some() {
            return Err(CallFailure::Unsent { reason: call::ending(&self.vitals) });
        }
        let result = tokio::select! {
            biased;
            result = self.request(call, options) => result,
            () = cancel.cancelled() => Err(CallFailure::Cancelled),
            () = self.vitals.lost.cancelled() => {
                Err(CallFailure::OutcomeUnknown { reason: call::ending(&self.vitals) })
            }
        };
        if let Err(CallFailure::Unsent { .. }) = &result {
            self.retired.get_or_init(Instant::now);
        }
        result
    }

    async fn request(
        &self,
        call: &SourceCall,
        options: &ConnectOptions,
    ) -> Result<CallToolResult, CallFailure> {
        let mut meta = RequestMetaObject::new();
        meta.insert(IDEMPOTENCY_KEY.to_owned(), call.call.idempotency_key().into());
        if let Some(trace) = options.trace.as_ref().and_then(TraceSource::current) {
            meta.set_traceparent(trace.as_str());
            if let Some(state) = trace.state() {
                meta.set_tracestate(state);
            }
        }
        let params = CallToolRequestParams::new(call.tool.clone()).with_arguments(call.input.clone());
        let mut request = CallToolRequest::new(params);
        // Taken out again, and never sent, where the request passes the inlet.
        request.extensions.insert(call.call.status.clone());
        let sent = self
            .peer
            .send_request_with_option(
                ClientRequest::CallToolRequest(request),
                PeerRequestOptions::no_options().with_meta(meta),
            )
            .await;
        let answer = match sent {
            Ok(handle) => {
                let mut unanswered = Unanswered { peer: &self.peer, id: Some(handle.id.clone()) };
                let answer = handle.await_response().await;
                unanswered.id = None;
                answer
            }
            // The connection's task is gone, and took no more messages.
            Err(ServiceError::TransportClosed) => {
                return Err(CallFailure::Unsent { reason: call::ending(&self.vitals) });
            }
            Err(error) => Err(error),
        };
        match answer {
            Ok(ServerResult::CallToolResult(result)) => Ok(result),
            Ok(ServerResult::InputRequiredResult(_) | ServerResult::CreateTaskResult(_)) => {
                Err(call::unfinished())
            }
            Ok(_) => Err(call::failure(ServiceError::UnexpectedResponse, &self.vitals)),
            Err(error) => Err(call::failure(error, &self.vitals)),
        }
    }

    /// Ends the connection and, when it is a child process, the process. Calls under way end at once.
    ///
    /// Idempotent. Not cancel safe in one point: a close that is dropped halfway goes on without being waited for.
    pub(super) async fn close(&self) {
        self.vitals.end("was closed".to_owned());
        let service = self.service.lock().await.take();
        let Some(mut service) = service else { return };
        // A process takes two graces at most; a server elsewhere is told goodbye and not waited for longer.
        match service.close_with_timeout(4 * self.close_grace).await {
            Ok(Some(_)) => {}
            Ok(None) => tracing::warn!("the connection to an MCP server did not end in time"),
            Err(error) => tracing::warn!(%error, "the connection to an MCP server did not end in order"),
        }
    }
}

/// A request that waits for its answer. Dropping it tells the server that nobody does any more.
struct Unanswered<'a> {
    peer: &'a Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let params = CancelledNotificationParam::new(Some(id), None);
        let cancelled = ClientNotification::CancelledNotification(CancelledNotification::new(params));
        // Polled once: it goes into the queue, or the queue is full and the server is not told.
        self.peer.send_notification(cancelled).now_or_never();
    }
}
