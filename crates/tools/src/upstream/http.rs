//! The streamable HTTP transport: rmcp's, over a client that tells nobody where it connected to.
//!
//! An error of the HTTP client holds the URL, and rmcp logs such errors. A URL may hold a credential. So the
//! client rmcp is given takes the URL out of every error first, and notes what went wrong for the message of
//! a connection that did not come about.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ServerJsonRpcMessage};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationManager};
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, SseError, StreamableHttpClient,
    StreamableHttpClientTransportConfig, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::Sse;
use tokio::sync::Notify;

use super::ConnectOptions;
use super::error::{ConnectError, ProtocolFailure};
use super::vitals::{HttpFault, Vitals};
use crate::config::HttpConfig;
use crate::http::{client, root_cause};
use crate::login;

/// Requests to one server under way at once; further ones wait.
const MAX_CONCURRENT_REQUESTS: usize = 64;
/// How often a stream that broke is taken up again, and how long after the first time; each further wait is
/// twice the one before. A call on it ends after 2 s or so, instead of waiting for a server that is gone.
const RESUME_ATTEMPTS: usize = 3;
const RESUME_AFTER: Duration = Duration::from_millis(250);
/// How long a stream that a server closes in order is left alone before it is taken up again, whatever the server says.
const RESUME_PAUSE: Duration = Duration::from_millis(100);

pub(super) type HttpTransport = StreamableHttpClientTransport<AuthClient<QuietClient>>;

/// Makes the transport to `config`'s server. Nothing is sent to it yet; where somebody logged in there, those who let
/// them in are asked what they have to say.
pub(super) async fn transport(
    config: &HttpConfig,
    options: &ConnectOptions,
    vitals: Arc<Vitals>,
    changed: Arc<Notify>,
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
    let manager = authorised(config, options).await.map_err(failed)?;
    let quiet = QuietClient { client, vitals: Arc::clone(&vitals), changed, greeted: Arc::default() };
    let client = AuthClient::new(quiet, manager);
    Ok(StreamableHttpClientTransport::with_client(client, transport))
}

/// Makes what gives the server's tokens: none, where nobody logged in, or where the configuration says who asks.
async fn authorised(config: &HttpConfig, options: &ConnectOptions) -> Result<AuthorizationManager, String> {
    let told = config.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let folder = options.logins.as_ref().filter(|folder| !told && folder.has(config.url.expose()));
    let mut manager = login::manager(config, folder).await.map_err(|error| login::shown(&error))?;
    if folder.is_some() {
        login::take_up(&mut manager, config).await.map_err(|error| login::shown(&error))?;
    }
    Ok(manager)
}

/// A client whose errors do not name the URL.
#[derive(Clone)]
pub(super) struct QuietClient {
    client: reqwest::Client,
    vitals: Arc<Vitals>,
    /// Told when the server has begun a new session, for its tools may be others.
    changed: Arc<Notify>,
    /// Whether there was a session before.
    greeted: Arc<AtomicBool>,
}

type HttpResult<T> = Result<T, StreamableHttpError<reqwest::Error>>;

fn quiet<T>(result: HttpResult<T>) -> HttpResult<T> {
    result.map_err(|error| match error {
        StreamableHttpError::Client(error) => StreamableHttpError::Client(error.without_url()),
        other => other,
    })
}

/// Looks at what a server answered to a message at once. The answer to a request has to be to that request: its caller
/// waits for no other.
fn fitting(
    message: &ClientJsonRpcMessage,
    in_session: bool,
    response: StreamableHttpPostResponse,
) -> HttpResult<StreamableHttpPostResponse> {
    let (ClientJsonRpcMessage::Request(request), StreamableHttpPostResponse::Json(answer, _)) =
        (message, &response)
    else {
        return Ok(response);
    };
    match answer {
        ServerJsonRpcMessage::Response(answer) if answer.id == request.id => Ok(response),
        ServerJsonRpcMessage::Error(error) if error.id.as_ref() == Some(&request.id) => Ok(response),
        ServerJsonRpcMessage::Error(error) if error.id.is_none() => {
            // What servers made with the protocol's own examples say, with status 400 instead of 404.
            if in_session && error.error.message.to_ascii_lowercase().contains("session") {
                return Err(StreamableHttpError::SessionExpired);
            }
            let refused = ServerJsonRpcMessage::error(error.error.clone(), Some(request.id.clone()));
            Ok(StreamableHttpPostResponse::Json(refused, None))
        }
        _ => Err(StreamableHttpError::UnexpectedServerResponse(
            "the server's answer is not that to the request".into(),
        )),
    }
}

impl QuietClient {
    /// Looks at a response, and tells when it begins a session after the first.
    fn read(
        &self,
        message: &ClientJsonRpcMessage,
        in_session: bool,
        response: HttpResult<StreamableHttpPostResponse>,
    ) -> HttpResult<StreamableHttpPostResponse> {
        let response =
            self.noted(quiet(response.and_then(|response| fitting(message, in_session, response))))?;
        if let ClientJsonRpcMessage::Request(request) = message
            && matches!(request.request, ClientRequest::InitializeRequest(_))
            && self.greeted.swap(true, Ordering::Relaxed)
        {
            self.changed.notify_one();
        }
        Ok(response)
    }

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
        let in_session = session.is_some();
        let posted = self.client.post_message(uri, message.clone(), session, auth, headers).await;
        self.read(&message, in_session, posted)
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
        let in_session = session.is_some();
        let posted = self
            .client
            .post_message_with_max_sse_event_size(uri, message.clone(), session, auth, headers, max_event)
            .await;
        self.read(&message, in_session, posted)
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
        if last_event.is_some() {
            tokio::time::sleep(RESUME_PAUSE).await;
        }
        quiet(
            self.client
                .get_stream_with_max_sse_event_size(uri, session, last_event, auth, headers, max_event)
                .await,
        )
    }
}
