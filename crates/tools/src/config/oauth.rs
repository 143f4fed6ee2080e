//! `oauth`: as which client to log in, at a server that does not register clients by itself, and what to ask for.

use serde_json::Value;

use super::error::ConfigError;
use super::parse::Place;
use super::secret::Secret;

/// What `oauth` may hold; those with a capital inside are other clients' spelling.
pub(super) const FIELDS: &[&str] = &["client_id", "client_secret", "scopes", "clientId", "clientSecret"];

/// How to log in at a server. Showing it shows references, not what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthConfig {
    /// The client that the authorisation server knows; when absent, a login registers one.
    pub client: Option<OAuthClient>,
    /// What is asked for; what the server names when empty.
    pub scopes: Vec<String>,
}

/// A client that was registered by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthClient {
    /// Its id.
    pub id: Secret,
    /// Its secret, when it was given one.
    pub secret: Option<Secret>,
}

impl OAuthConfig {
    /// Returns what in it may hold references.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.client.iter().flat_map(|client| std::iter::once(&client.id).chain(&client.secret))
    }
}

/// Reads `oauth`; its unknown fields are the caller's to report.
pub(super) fn read(place: &Place<'_>, oauth: Option<&Value>) -> Result<OAuthConfig, ConfigError> {
    let oauth = match oauth {
        None | Some(Value::Null) => return Ok(OAuthConfig::default()),
        Some(Value::Object(oauth)) => oauth,
        Some(other) => {
            return Err(place.wrong_type(
                "oauth",
                other,
                "an object with `client_id`, `client_secret` and `scopes`",
            ));
        }
    };
    let text = |names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| Some((name, oauth.get(name)?)));
        let Some((name, value)) = found.filter(|(_, value)| !value.is_null()) else { return Ok(None) };
        let field = format!("oauth.{name}");
        let text = place.text(&field, value)?;
        if text.expose().is_empty() {
            return Err(place.invalid(&field, "is empty; leave it out, or give it a value".to_owned()));
        }
        Ok(Some(text))
    };
    let secret = text(["client_secret", "clientSecret"])?.map(Secret::confidential);
    let client = match (text(["client_id", "clientId"])?, secret) {
        (Some(id), secret) => Some(OAuthClient { id, secret }),
        (None, None) => None,
        (None, Some(_)) => {
            return Err(place.invalid("oauth.client_secret", "stands without a `client_id`".to_owned()));
        }
    };
    let scopes = match oauth.get("scopes") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(scopes)) => scopes
            .iter()
            .enumerate()
            .map(|(i, scope)| {
                let field = format!("oauth.scopes[{i}]");
                let Value::String(scope) = scope else {
                    return Err(place.wrong_type(&field, scope, "a string"));
                };
                // They are sent with spaces between them (RFC 6749, section 3.3).
                if scope.is_empty() || !scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
                {
                    return Err(place.invalid(&field, "is no scope; accepted is one word".to_owned()));
                }
                Ok(scope.clone())
            })
            .collect::<Result<_, _>>()?,
        Some(other) => return Err(place.wrong_type("oauth.scopes", other, "a list of strings")),
    };
    Ok(OAuthConfig { client, scopes })
}
