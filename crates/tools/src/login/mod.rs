//! Logging in at a remote MCP server: OAuth 2.1 as MCP has it
//! (<https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization>).
//!
//! The server says who lets people in, this program registers itself there, a browser asks the person, and the answer
//! comes back to a port of this machine. rmcp speaks the protocol; here is where its words go ([`wire`]), where the
//! answer arrives ([`loopback`]) and where tokens are kept ([`store`], [`keyring`]). No token is shown or logged.

mod keyring;
mod loopback;
mod store;
mod wire;

use std::sync::Arc;

use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationRequest, AuthorizationSession, OAuthClientConfig,
};

use self::loopback::Loopback;
pub use self::store::{LoginFolder, Place};
use self::wire::Wire;
use crate::bound::bounded;
use crate::config::HttpConfig;
use crate::printable::printable;

/// What the authorisation server shows the person.
const CLIENT_NAME: &str = "Carrel";

/// Why somebody could not log in or out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The server asks nobody to log in, or not in a way that is understood.
    #[error("the server does not say how to log in: {0}")]
    Unsupported(String),
    /// The authorisation server takes only clients that it knows, and the configuration names none.
    #[error(
        "the server did not register this program, so it has to be registered there by hand; \
         name the client in the server's configuration, as in \"oauth\": {{ \"client_id\": \"…\" }}: {0}"
    )]
    Unregistered(String),
    /// The authorisation server, or the person, refused.
    #[error("the login was refused: {0}")]
    Refused(String),
    /// Nothing could be listened to for the browser's answer.
    #[error("no port of this machine can take the browser's answer: {0}")]
    Loopback(#[source] std::io::Error),
    /// What the login gave cannot be kept, or forgotten.
    #[error("the login cannot be kept in {folder}: {source}")]
    Store {
        /// The folder.
        folder: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system's keyring has what a login gave, and does not give or forget it.
    #[error("the system's keyring, which has the login, cannot be used: {0}")]
    Keyring(String),
}

/// A login that waits for the person. Dropping it gives it up.
pub struct Login {
    session: AuthorizationSession,
    loopback: Loopback,
    kept: store::File,
}

impl Login {
    /// Finds out how to log in at a server, registers with its authorisation server, and waits at a port of this machine.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn begin(config: &HttpConfig, folder: &LoginFolder) -> Result<Self, LoginError> {
        let loopback = Loopback::open().await.map_err(LoginError::Loopback)?;
        let unsupported = |error: AuthError| LoginError::Unsupported(shown(&error));
        let mut manager = manager(config, Some(folder)).await.map_err(unsupported)?;
        let found = manager.resolve_metadata().await.map_err(unsupported)?;
        manager.set_metadata(found.metadata);
        let mut request = AuthorizationRequest::new(loopback.redirect())
            .with_client_name(CLIENT_NAME)
            .with_scopes(config.oauth.scopes.clone());
        if let Some(client) = &config.oauth.client {
            request = request.with_preregistered_client(client.id.expose());
            if let Some(secret) = &client.secret {
                request = request.with_client_secret(secret.expose());
            }
        }
        let session = AuthorizationSession::new(manager, request).await;
        let session = session.map_err(|(_, error)| match error {
            AuthError::RegistrationFailed(_) => LoginError::Unregistered(shown(&error)),
            error => unsupported(error),
        })?;
        Ok(Self { session, loopback, kept: folder.of(config.url.expose()) })
    }

    /// Returns the address that the person has to open.
    #[must_use]
    pub fn url(&self) -> &str {
        self.session.get_authorization_url()
    }

    /// Waits for the person, keeps what the login gave, and returns where. Cancel safe: dropping the future gives the login up.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn finish(self) -> Result<Place, LoginError> {
        let state = reqwest::Url::parse(self.url()).ok().and_then(|url| {
            url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned())
        });
        let state = state.ok_or_else(|| LoginError::Unsupported("its login has no state".to_owned()))?;
        let answer = self.loopback.answer(&state).await.map_err(LoginError::Loopback)?;
        let answer = answer.map_err(|problem| LoginError::Refused(printable(&bounded(&problem, 300))))?;
        let given = self.session.handle_callback_url(&answer).await;
        given.map(|_| self.kept.place()).map_err(|error| LoginError::Refused(shown(&error)))
    }
}

/// Makes what gives the tokens of a server, from what a login left in `folder`; without one there is no token.
pub(crate) async fn manager(
    config: &HttpConfig,
    folder: Option<&LoginFolder>,
) -> Result<AuthorizationManager, AuthError> {
    let wire = Wire::new().map_err(AuthError::InternalError)?;
    let url = config.url.expose();
    let mut manager = AuthorizationManager::new_with_oauth_http_client(url, Arc::new(wire)).await?;
    if let Some(folder) = folder {
        manager.set_credential_store(folder.of(url));
    }
    Ok(manager)
}

/// Takes up what a login left, when there is something.
pub(crate) async fn take_up(
    manager: &mut AuthorizationManager,
    config: &HttpConfig,
) -> Result<(), AuthError> {
    let found = manager.initialize_from_store().await?;
    if found
        && let Some(client) = &config.oauth.client
        && let Some(secret) = &client.secret
    {
        // The login keeps its client's id, and no secret: the configuration has that, and a refresh needs it.
        let client = OAuthClientConfig::new(client.id.expose(), config.url.expose());
        manager.configure_client(client.with_client_secret(secret.expose()))?;
    }
    Ok(())
}

/// Says what an error says, on one line and not at length: some of it comes from a server.
pub(crate) fn shown(error: &AuthError) -> String {
    bounded(&printable(&error.to_string()).replace('\n', " "), 500)
}
