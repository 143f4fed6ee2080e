//! What HTTP requests of this crate have in common: whom they trust, where they follow, how much they take.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Who asks.
pub(crate) const USER_AGENT: &str = concat!("carrel/", env!("CARGO_PKG_VERSION"));
/// Redirects followed, all within the origin that was asked.
const MAX_REDIRECTS: usize = 5;
/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Makes a client for requests to the origin of `url`.
pub(crate) fn client(url: &str) -> Result<reqwest::Client, String> {
    // A redirect elsewhere would carry the configured headers to somebody they were not meant for.
    build(
        url.starts_with("https"),
        redirect::Policy::custom(|attempt| {
            let same =
                attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
            if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
        }),
    )
}

/// Makes a client for requests without credentials of the configuration's, which may follow anywhere or nowhere.
pub(crate) fn client_anywhere(follow: bool) -> Result<reqwest::Client, String> {
    let policy = || if follow { redirect::Policy::limited(MAX_REDIRECTS) } else { redirect::Policy::none() };
    build(true, policy()).or_else(|_| build(false, policy()))
}

fn build(secure: bool, redirects: redirect::Policy) -> Result<reqwest::Client, String> {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    // A machine without certificates can still reach a server on its loopback.
    let tls = if secure {
        tls.with_platform_verifier().map_err(|error| error.to_string())?
    } else {
        tls.with_root_certificates(rustls::RootCertStore::empty())
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.with_no_client_auth())
        .connect_timeout(CONNECT_TIME)
        .redirect(redirects)
        .build()
        .map_err(|error| error.without_url().to_string())
}

/// Why a body was not read to its end.
pub(crate) enum BodyError {
    TooLarge,
    Broken(String),
}

/// Reads a response's body, of which no more than `max_bytes` are taken.
pub(crate) async fn body(mut response: reqwest::Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > max_bytes => return Err(BodyError::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(BodyError::Broken(root_cause(&error.without_url()))),
        }
    }
}

/// The innermost cause: "error sending request" says nothing, "connection refused" does.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
