//! The streamable HTTP transport: rmcp's, over a client that tells nobody where it connected to.
//!
//! An error of the HTTP client holds the URL, and rmcp logs such errors. A URL may hold a credential. So the
//! client rmcp is given takes the URL out of every error first, and notes what went wrong for the message of
//! a connection that did not come about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, SseError, StreamableHttpClient,
    StreamableHttpClientTransportConfig, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::Sse;

use super::ConnectOptions;
use super::error::{ConnectError, ProtocolFailure};
use super::vitals::{HttpFault, Vitals};
use crate::config::HttpConfig;
use crate::http::{client, root_cause};

/// Requests to one server under way at once; further ones wait.
const MAX_CONCURRENT_REQUESTS: usize = 64;
/// How often a stream that broke is taken up again, and how long after the first time; each further wait is
/// twice the one before. A call on it ends after 2 s or so, instead of waiting for a server that is gone.
const RESUME_ATTEMPTS: usize = 3;
const RESUME_AFTER: Duration = Duration::from_millis(250);

pub(super) type HttpTransport = StreamableHttpClientTransport<QuietClient>;

/// Makes the transport to `config`'s server. Nothing is sent yet.
pub(super) fn transport(
    config: &HttpConfig,
    options: &ConnectOptions,
    vitals: Arc<Vitals>,
) -> Result<HttpTransport, ConnectError> {
    let failed = |reason: String| {
        ConnectError::from(ProtocolFailure {
            request: "initialize",
            reason: vitals.redact(&reason),
            said: Default::default(),
        })
    };
    let client = client(config.url.expose()).map_err(failed)?;
    let mut headers = HashMap::new();
    for (name, value) in &config.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|error| failed(error.to_string()))?;
        // Its Debug shows `Sensitive` from here on.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let mut resuming = ExponentialBackoff::default();
    resuming.max_times = Some(RESUME_ATTEMPTS);
    resuming.base_duration = RESUME_AFTER;
    let mut transport = StreamableHttpClientTransportConfig::with_uri(config.url.expose())
        .custom_headers(headers)
        .max_concurrent_requests(MAX_CONCURRENT_REQUESTS)
        .max_sse_event_size(options.message_bytes);
    transport.retry_config = Arc::new(resuming);
    Ok(StreamableHttpClientTransport::with_client(QuietClient { client, vitals }, transport))
}

/// A client whose errors do not name the URL.
#[derive(Clone)]
pub(super) struct QuietClient {
    client: reqwest::Client,
    vitals: Arc<Vitals>,
}

type HttpResult<T> = Result<T, StreamableHttpError<reqwest::Error>>;

fn quiet<T>(result: HttpResult<T>) -> HttpResult<T> {
    result.map_err(|error| match error {
        StreamableHttpError::Client(error) => StreamableHttpError::Client(error.without_url()),
        other => other,
    })
}

impl QuietClient {
    /// Notes what went wrong with a request. Only of POSTs: servers may well refuse the others.
    fn noted<T>(&self, result: HttpResult<T>) -> HttpResult<T> {
        result.inspect_err(|error| self.vitals.note_http(self.fault(error)))
    }

    fn fault(&self, error: &StreamableHttpError<reqwest::Error>) -> HttpFault {
        match error {
            StreamableHttpError::Client(error) => match error.status() {
                Some(status) => HttpFault::Status(status.as_u16()),
                None if error.is_connect() || error.is_timeout() => {
                    HttpFault::Unreachable(self.vitals.redact(&root_cause(error)))
                }
                None => HttpFault::Other(self.vitals.redact(&root_cause(error))),
            },
            StreamableHttpError::HttpStatus(HttpStatusError { status, .. }) => HttpFault::Status(*status),
            StreamableHttpError::AuthRequired(AuthRequiredError { .. }) => HttpFault::Status(401),
            StreamableHttpError::InsufficientScope(InsufficientScopeError { .. }) => HttpFault::Status(403),
            StreamableHttpError::UnexpectedServerResponse(text) => match status_of(text) {
                Some(status) => HttpFault::Status(status),
                None => HttpFault::Other(self.vitals.redact(text)),
            },
            other => HttpFault::Other(self.vitals.redact(&other.to_string())),
        }
    }
}

/// Reads the status from what rmcp says of a response it has no case for: `HTTP 404 Not Found: body`.
fn status_of(text: &str) -> Option<u16> {
    text.strip_prefix("HTTP ")?.split([' ', ':']).next()?.parse().ok()
}

impl StreamableHttpClient for QuietClient {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> HttpResult<StreamableHttpPostResponse> {
        self.noted(quiet(self.client.post_message(uri, message, session, auth, headers).await))
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        max_event: usize,
    ) -> HttpResult<StreamableHttpPostResponse> {
        let posted = self
            .client
            .post_message_with_max_sse_event_size(uri, message, session, auth, headers, max_event)
            .await;
        self.noted(quiet(posted))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> HttpResult<()> {
        quiet(self.client.delete_session(uri, session, auth, headers).await)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> HttpResult<BoxStream<'static, Result<Sse, SseError>>> {
        quiet(self.client.get_stream(uri, session, last_event, auth, headers).await)
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        max_event: usize,
    ) -> HttpResult<BoxStream<'static, Result<Sse, SseError>>> {
        quiet(
            self.client
                .get_stream_with_max_sse_event_size(uri, session, last_event, auth, headers, max_event)
                .await,
        )
    }
}
