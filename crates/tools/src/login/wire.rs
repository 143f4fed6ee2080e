//! The HTTP that a login speaks, over this crate's own client.

use rmcp::transport::auth::{
    OAuthHttpClient, OAuthHttpClientFuture, OAuthHttpRedirectPolicy, OAuthHttpRequest,
};

use crate::http::{self, BodyError};

/// The largest answer that is taken, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// A client for authorisation servers.
pub(super) struct Wire {
    following: reqwest::Client,
    staying: reqwest::Client,
}

impl Wire {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { following: http::client_anywhere(true)?, staying: http::client_anywhere(false)? })
    }
}

impl OAuthHttpClient for Wire {
    fn execute(&self, request: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async move {
            let client = match request.redirect_policy {
                OAuthHttpRedirectPolicy::Stop => &self.staying,
                _ => &self.following,
            };
            let mut sent = reqwest::Request::try_from(request.request)?;
            *sent.timeout_mut() = request.timeout;
            let response = client.execute(sent).await.map_err(reqwest::Error::without_url)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = http::body(response, MAX_BYTES).await.map_err(|error| match error {
                BodyError::TooLarge => "the answer is larger than 1 MiB".to_owned(),
                BodyError::Broken(reason) => reason,
            })?;
            let mut answer = ::http::Response::new(body);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}
