//! Connecting to a server: starting it or reaching it, the handshake, and the list of its tools.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientRequest, ErrorCode, ErrorData, Implementation, ListToolsRequest,
    PaginatedRequestParams, ProtocolVersion,
};
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::Transport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, Peer, RoleClient, ServiceError};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::error::{ConnectError, ConnectTimedOut, HttpRejected, ProtocolFailure, ServerExited, Unreachable};
use super::http;
use super::inlet::Inlet;
use super::listing::{Listing, Next};
use super::options::ConnectOptions;
use super::process::ServerProcess;
use super::stdio::StdioTransport;
use super::vitals::{HttpFault, Vitals};
use crate::bound::bounded;
use crate::config::{ServerConfig, TransportConfig};
use crate::printable::printable;

/// The longest reason of a server's refusal that is kept, in bytes.
const MAX_REASON_BYTES: usize = 2 << 10;

/// What Carrel is towards a server: a client that has tools called and offers nothing in return. So it says that it has
/// no roots, declines what it is asked to ask a person, and has no model to lend.
pub(super) struct Client;

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("carrel", env!("CARGO_PKG_VERSION")),
        )
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }
}

/// One attempt at connecting, or at listing tools: what it is about and how long it has.
pub(super) struct Attempt<'a> {
    config: &'a ServerConfig,
    options: &'a ConnectOptions,
    vitals: &'a Arc<Vitals>,
    changed: &'a Arc<Notify>,
    deadline: Instant,
}

impl<'a> Attempt<'a> {
    /// Makes an attempt that begins now. `changed` is told when the server says that its tools did.
    pub(super) fn new(
        config: &'a ServerConfig,
        options: &'a ConnectOptions,
        vitals: &'a Arc<Vitals>,
        changed: &'a Arc<Notify>,
    ) -> Self {
        Self { config, options, vitals, changed, deadline: Instant::now() + options.connect_time }
    }

    /// Shakes hands as all servers up to 2025-11-25 do; with a server that knows only the later protocol,
    /// which has no handshake, it starts again without.
    pub(super) async fn handshake(&self) -> Result<RunningService<RoleClient, Client>, ConnectError> {
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
                let transport = StdioTransport::new(process, streams, self.options, Arc::clone(self.vitals));
                let connecting = transport.connecting();
                let served = self.serve(transport, lifecycle).await;
                connecting.store(false, Ordering::Relaxed);
                served
            }
            TransportConfig::Http(http) => {
                let transport =
                    http::transport(http, self.options, Arc::clone(self.vitals), Arc::clone(self.changed))
                        .await?;
                self.serve(transport, lifecycle).await
            }
        }
    }

    async fn serve<T: Transport<RoleClient> + 'static>(
        &self,
        transport: T,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Result<RunningService<RoleClient, Client>, ClientInitializeError>, ConnectError> {
        let (vitals, changed) = (Arc::clone(self.vitals), Arc::clone(self.changed));
        let transport = Inlet::new(transport, &self.config.name, vitals, changed);
        let serving = Box::pin(Client.serve_with_lifecycle(transport, lifecycle));
        tokio::time::timeout_at(self.deadline, serving).await.map_err(|_| self.timed_out("initialize"))
    }

    /// Lists the tools, page by page.
    pub(super) async fn list_tools(&self, peer: &Peer<RoleClient>) -> Result<Listing, ConnectError> {
        let mut listing = Listing::default();
        let declares_tools = peer.peer_info().is_none_or(|server| server.capabilities.tools.is_some());
        if !declares_tools {
            return Ok(listing);
        }
        let mut cursor = None;
        loop {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            // Not rmcp's own `list_tools`, which has nothing to say of a list with a malformed tool in it.
            let request = ListToolsRequest { params: Some(params), ..ListToolsRequest::default() };
            let page = peer.send_request(ClientRequest::ListToolsRequest(request));
            let page = tokio::time::timeout_at(self.deadline, page)
                .await
                .map_err(|_| self.timed_out("tools/list"))?
                .map_err(|error| self.unlisted(&error))?;
            match listing.take(page, self.options.tools, self.vitals) {
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
                    Some(HttpFault::Status(status)) => {
                        HttpRejected { url, status, server: self.config.name.clone() }.into()
                    }
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
