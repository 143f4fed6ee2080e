//! Many clients, over streamable HTTP at `/mcp`.
//!
//! Browsers are kept out: requests for a host that is not this one (DNS rebinding) and requests with an `Origin` that is
//! not this endpoint's own are refused. On an address that other machines reach, a bearer token is required. Who has one answers at `/approvals` what a
//! policy asks.

mod approvals;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use carrel_contract::CancellationToken;
use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;

use crate::connection::Connection;
use crate::face::Face;

/// The path of the endpoint.
pub const PATH: &str = "/mcp";
/// The largest request, in bytes: a cell, its arguments and some room.
const REQUEST_BYTES: usize = 4 << 20;
/// The shortest token accepted, in bytes.
const TOKEN_BYTES: usize = 16;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is one that other machines reach, and there is no token.
    #[error(
        "serve at {0}: other machines reach it, so a token is required there; without one, serve at 127.0.0.1 or [::1]"
    )]
    Open(SocketAddr),
    /// The token could be guessed.
    #[error("use this token: it has {0} bytes, and {TOKEN_BYTES} are the least")]
    ShortToken(usize),
    /// The address cannot be listened at.
    #[error("serve at {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no more connections.
    #[error("go on serving: {0}")]
    Lost(io::Error),
}

/// Where and to whom a face is served.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    token: Option<Arc<str>>,
    hosts: Vec<String>,
}

impl Endpoint {
    /// Listens at an address; port 0 is a free one. Clients show `token`, if there is one, as `Authorization: Bearer`.
    /// `hosts` are the names, with a port if need be, by which clients reach this machine, besides those of the loopback.
    ///
    /// # Errors
    /// [`HttpError`] when other machines reach the address and there is no token, when the token is short, or when the
    /// address is not free.
    pub async fn open(
        address: SocketAddr,
        token: Option<&str>,
        hosts: Vec<String>,
    ) -> Result<Self, HttpError> {
        match token {
            None if !address.ip().is_loopback() => return Err(HttpError::Open(address)),
            Some(token) if token.len() < TOKEN_BYTES => return Err(HttpError::ShortToken(token.len())),
            _ => {}
        }
        let listening = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening.await.map_err(|source| HttpError::Address { address, source })?;
        Ok(Self { listener, address, token: token.map(Into::into), hosts })
    }

    /// Returns the address that is listened at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves clients until `closed` fires; their open requests are then ended. What their sessions run, durable ones go
    /// on with when they are opened again.
    ///
    /// # Errors
    /// [`HttpError::Lost`] when the system gives no more connections.
    pub async fn serve(self, face: &Face, closed: CancellationToken) -> Result<(), HttpError> {
        let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let config = StreamableHttpServerConfig::default()
            .with_allowed_origins(own_origins(self.address.port()))
            .with_allowed_hosts(loopback.into_iter().chain(self.hosts))
            .enforce_origin_validation()
            .with_max_request_body_bytes(REQUEST_BYTES)
            .with_cancellation_token(closed.clone());
        let answered = face.clone();
        let face = face.clone();
        let service = StreamableHttpService::new(
            move || Ok(Connection::new(face.clone())),
            Arc::new(LocalSessionManager::default()),
            config,
        );
        let mut router = Router::new().route_service(PATH, service);
        if self.token.is_some() {
            let route = get(approvals::list).post(approvals::answer);
            router = router.route(approvals::PATH, route.with_state(answered));
        }
        let router = router.layer(from_fn_with_state(self.token, authorize));
        axum::serve(self.listener, router)
            .with_graceful_shutdown(async move { closed.cancelled().await })
            .await
            .map_err(HttpError::Lost)
    }
}

/// Returns the origins of what this endpoint itself would serve; it serves no page.
fn own_origins(port: u16) -> [String; 3] {
    ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}"))
}

/// Lets those through who have the token, where there is one.
async fn authorize(State(token): State<Option<Arc<str>>>, request: Request, next: Next) -> Response {
    let Some(token) = token else { return next.run(request).await };
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    let is_right = shown.is_some_and(|(scheme, shown)| {
        scheme.eq_ignore_ascii_case("bearer") && bool::from(shown.trim().as_bytes().ct_eq(token.as_bytes()))
    });
    if is_right {
        return next.run(request).await;
    }
    let text = "show the token of this server as `Authorization: Bearer TOKEN`\n";
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], text).into_response()
}
