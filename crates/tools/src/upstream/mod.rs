//! One MCP server and the connection to it.
//!
//! Connecting is starting it or reaching it, the handshake, and the list of its tools; after that the
//! connection either stands or is lost, and a lost one stays lost.

mod call;
mod error;
mod group;
mod http;
mod listing;
mod options;
mod process;
mod stdio;
mod tail;
mod vitals;
mod warning;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ClientRequest,
    ErrorCode, ErrorData, Implementation, JsonObject, ListToolsRequest, PaginatedRequestParams,
    ProtocolVersion, Tool,
};
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::Transport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, Peer, RoleClient, ServiceError};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use call::CallFailure;
pub use error::{
    CommandNotFound, ConnectError, ConnectFailure, ConnectTimedOut, HttpRejected, LastWords,
    MissingDirectory, NameTaken, ProtocolFailure, ServerExited, SpawnFailed, Unreachable,
};
pub use options::ConnectOptions;
pub use warning::{MalformedTools, ServerWarning, TooManyTools};

use self::listing::{Listing, Next};
use self::process::ServerProcess;
use self::stdio::StdioTransport;
use self::vitals::{HttpFault, Vitals};
use crate::bound::bounded;
use crate::config::{ServerConfig, TransportConfig};
use crate::printable::printable;

/// The longest reason of a server's refusal that is kept, in bytes.
const MAX_REASON_BYTES: usize = 2 << 10;

/// A connection to one server. Dropping it ends the server's process, without waiting.
pub(crate) struct Upstream {
    peer: Peer<RoleClient>,
    /// The task that serves the connection; `None` once it is closed.
    service: Mutex<Option<RunningService<RoleClient, Client>>>,
    vitals: Arc<Vitals>,
    close_grace: Duration,
}

/// What came of connecting.
pub(crate) struct Connected {
    pub(crate) upstream: Upstream,
    pub(crate) tools: Vec<Tool>,
    /// What was left out of the tools.
    pub(crate) warnings: Vec<ServerWarning>,
}

/// What Carrel is towards a server: a client that has tools called and offers nothing in return.
struct Client;

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("carrel", env!("CARGO_PKG_VERSION")),
        )
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }
}

impl Upstream {
    /// Connects to a server and lists its tools.
    ///
    /// Cancel safe: dropping the future ends what was started.
    pub(crate) async fn connect(
        config: &ServerConfig,
        options: &ConnectOptions,
    ) -> Result<Connected, ConnectError> {
        let vitals = Arc::new(Vitals::new(config.redactor()));
        let deadline = Instant::now() + options.connect_time;
        let attempt = Attempt { config, options, vitals, deadline };
        let service = attempt.handshake().await?;
        let mut listing = attempt.list_tools(&service).await?;
        let warnings = listing.warnings(&config.name, options.tools);
        let peer = service.peer().clone();
        let close_grace = options.close_grace;
        let upstream = Self { peer, service: Mutex::new(Some(service)), vitals: attempt.vitals, close_grace };
        Ok(Connected { upstream, tools: listing.tools, warnings })
    }

    /// Calls a tool. When `cancel` fires, the server is told and not waited for.
    ///
    /// Cancel safe: dropping the future tells the server too.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
        cancel: &CancellationToken,
    ) -> Result<CallToolResult, CallFailure> {
        if cancel.is_cancelled() {
            return Err(CallFailure::Cancelled);
        }
        if self.vitals.lost.is_cancelled() || self.peer.is_transport_closed() {
            return Err(CallFailure::Unavailable { reason: call::ending(&self.vitals), retryable: false });
        }
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        // Dropping rmcp's future sends `notifications/cancelled` for the request it has under way.
        tokio::select! {
            biased;
            response = self.peer.call_tool_once(params) => match response {
                Ok(CallToolResponse::Complete(result)) => Ok(result),
                Ok(_) => Err(call::unfinished()),
                Err(error) => Err(call::failure(error, &self.vitals)),
            },
            () = cancel.cancelled() => Err(CallFailure::Cancelled),
            () = self.vitals.lost.cancelled() => {
                Err(CallFailure::OutcomeUnknown { reason: call::ending(&self.vitals) })
            }
        }
    }

    /// Ends the connection and, when it is a child process, the process. Calls under way end at once.
    ///
    /// Idempotent. Not cancel safe in one point: a close that is dropped halfway goes on without being waited for.
    pub(crate) async fn close(&self) {
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

/// One attempt at connecting: what it is about and how long it has.
struct Attempt<'a> {
    config: &'a ServerConfig,
    options: &'a ConnectOptions,
    vitals: Arc<Vitals>,
    deadline: Instant,
}

impl Attempt<'_> {
    /// Shakes hands as all servers up to 2025-11-25 do; with a server that knows only the later protocol,
    /// which has no handshake, it starts again without.
    async fn handshake(&self) -> Result<RunningService<RoleClient, Client>, ConnectError> {
        match self.open(ClientLifecycleMode::Initialize).await? {
            Ok(service) => Ok(service),
            Err(ClientInitializeError::JsonRpcError(error)) if is_modern_refusal(error.code) => {
                let modern =
                    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
                self.open(modern).await?.map_err(|error| self.refused("server/discover", &error))
            }
            Err(error) => Err(self.refused("initialize", &error)),
        }
    }

    async fn open(
        &self,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Result<RunningService<RoleClient, Client>, ClientInitializeError>, ConnectError> {
        match &self.config.transport {
            TransportConfig::Stdio(stdio) => {
                let (process, streams) = ServerProcess::start(stdio)?;
                let transport = StdioTransport::new(process, streams, self.options, Arc::clone(&self.vitals));
                let connecting = transport.connecting();
                let served = self.serve(transport, lifecycle).await;
                connecting.store(false, Ordering::Relaxed);
                served
            }
            TransportConfig::Http(http) => {
                let transport = http::transport(http, self.options, Arc::clone(&self.vitals))?;
                self.serve(transport, lifecycle).await
            }
        }
    }

    async fn serve<T: Transport<RoleClient> + 'static>(
        &self,
        transport: T,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Result<RunningService<RoleClient, Client>, ClientInitializeError>, ConnectError> {
        let serving = Box::pin(Client.serve_with_lifecycle(transport, lifecycle));
        tokio::time::timeout_at(self.deadline, serving).await.map_err(|_| self.timed_out("initialize"))
    }

    async fn list_tools(
        &self,
        service: &RunningService<RoleClient, Client>,
    ) -> Result<Listing, ConnectError> {
        let mut listing = Listing::default();
        let declares_tools =
            service.peer().peer_info().is_none_or(|server| server.capabilities.tools.is_some());
        if !declares_tools {
            return Ok(listing);
        }
        let mut cursor = None;
        loop {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            // Not rmcp's own `list_tools`, which has nothing to say of a list with a malformed tool in it.
            let request = ListToolsRequest { params: Some(params), ..ListToolsRequest::default() };
            let page = service.peer().send_request(ClientRequest::ListToolsRequest(request));
            let page = tokio::time::timeout_at(self.deadline, page)
                .await
                .map_err(|_| self.timed_out("tools/list"))?
                .map_err(|error| self.unlisted(&error))?;
            match listing.take(page, self.options.tools, &self.vitals) {
                Ok(Next::Page(next)) => cursor = Some(next),
                Ok(Next::Nothing) => return Ok(listing),
                Err(_) => return Err(self.failed("tools/list", "the answer is not a list of tools")),
            }
        }
    }

    fn timed_out(&self, request: &'static str) -> ConnectError {
        ConnectTimedOut { request, after: self.options.connect_time, said: self.vitals.last_words() }.into()
    }

    fn refused(&self, request: &'static str, error: &ClientInitializeError) -> ConnectError {
        match error {
            ClientInitializeError::JsonRpcError(error) => self.answered(request, error),
            other => self.broken(request, &other.to_string()),
        }
    }

    fn unlisted(&self, error: &ServiceError) -> ConnectError {
        match error {
            // An answer that could not be read: this side says so in the server's place.
            ServiceError::McpError(error) if error.code == ErrorCode::PARSE_ERROR => {
                self.failed("tools/list", &error.message)
            }
            ServiceError::McpError(error) => self.answered("tools/list", error),
            other => self.broken("tools/list", &other.to_string()),
        }
    }

    fn answered(&self, request: &'static str, error: &ErrorData) -> ConnectError {
        self.failed(request, &format!("it answered with error {}: {}", error.code.0, error.message))
    }

    fn failed(&self, request: &'static str, reason: &str) -> ConnectError {
        let reason = bounded(&printable(&self.vitals.redact(reason)), MAX_REASON_BYTES);
        ProtocolFailure { request, reason, said: self.vitals.last_words() }.into()
    }

    /// Says why the connection did not come about, from the best source there is.
    fn broken(&self, request: &'static str, reason: &str) -> ConnectError {
        match &self.config.transport {
            TransportConfig::Stdio(_) => match self.vitals.ending() {
                Some(ending) => ServerExited { ending, said: self.vitals.last_words() }.into(),
                None => self.failed(request, reason),
            },
            TransportConfig::Http(http) => {
                let url = http.url.to_string();
                match self.vitals.http_fault() {
                    Some(HttpFault::Unreachable(reason)) => Unreachable { url, reason }.into(),
                    Some(HttpFault::Status(status)) => HttpRejected { url, status }.into(),
                    Some(HttpFault::Other(reason)) => self.failed(request, &reason),
                    None => self.failed(request, reason),
                }
            }
        }
    }
}

/// Tells whether a refusal of `initialize` means that the server has no handshake.
fn is_modern_refusal(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::METHOD_NOT_FOUND | ErrorCode::UNSUPPORTED_PROTOCOL_VERSION)
}
