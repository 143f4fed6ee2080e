//! One OpenAPI document whose operations are tools, ready to be read.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::parse::Place;
use super::secret::{Redactor, Secret};

/// What an entry of `openapi` may hold.
pub(super) const FIELDS: &[&str] = &[
    "document",
    "server",
    "bearer",
    "basic",
    "headers",
    "query",
    "include",
    "exclude",
    "timeout_seconds",
    "passThrough",
    "disabled",
    "enabled",
];
/// The time a call has unless the configuration says otherwise, and the longest it may say, in seconds.
const DEFAULT_SECONDS: u64 = 60;
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// An OpenAPI document, and as whom to call what it describes. Showing it shows references, not what they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenApiConfig {
    /// The name it goes by; its tools' namespace.
    pub name: String,
    /// Where it is: a URL, or a path from the configuration's own folder.
    pub document: Secret,
    /// The server to call, when it is not the one that the document names.
    pub server: Option<Secret>,
    /// Headers sent with every request, those of `bearer` and `basic` too.
    pub headers: Vec<(String, Secret)>,
    /// Parameters that go into the query of every request.
    pub query: Vec<(String, Secret)>,
    /// User and password of HTTP's basic authentication.
    pub basic: Option<(Secret, Secret)>,
    /// The operations that become tools, all when empty: see `docs/tools.md` for the patterns.
    pub include: Vec<String>,
    /// The operations that do not, though included.
    pub exclude: Vec<String>,
    /// The time a call has.
    pub timeout: Duration,
    /// The folder of the configuration.
    pub(crate) folder: PathBuf,
}

impl OpenApiConfig {
    /// Makes the means to keep its credentials out of text it produced.
    pub(crate) fn redactor(&self) -> Redactor {
        let pairs = self.headers.iter().chain(&self.query).map(|(_, value)| value);
        let basic = self.basic.iter().flat_map(|(user, password)| [user, password]);
        Redactor::new(std::iter::once(&self.document).chain(&self.server).chain(pairs).chain(basic))
    }
}

/// Reads one entry; its unknown fields are the caller's to report.
pub(super) fn read(
    name: &str,
    place: &Place<'_>,
    entry: &Map<String, Value>,
) -> Result<OpenApiConfig, ConfigError> {
    let document = match entry.get("document") {
        Some(document) => place.text("document", document)?,
        None => return Err(place.invalid("document", "is missing; accepted is a URL or a file".to_owned())),
    };
    let server = entry.get("server").map(|server| place.text("server", server)).transpose()?;
    if let Some(server) = &server
        && !reqwest::Url::parse(server.expose())
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    {
        let problem =
            format!("is {:?}; accepted is a URL that begins with http:// or https://", server.template());
        return Err(place.invalid("server", problem));
    }
    let mut headers = place.headers(entry)?;
    if let Some(token) = entry.get("bearer") {
        let token = place.text("bearer", token)?.confidential();
        let value = token.prefixed("Bearer ");
        place.check_header("bearer", "Authorization", &value)?;
        headers.push(("Authorization".to_owned(), value));
    }
    let basic = match entry.get("basic") {
        None | Some(Value::Null) => None,
        Some(Value::Object(pair)) => {
            let part = |field: &str| match pair.get(field) {
                Some(value) => place.text(&format!("basic.{field}"), value).map(Secret::confidential),
                None => Err(place.invalid(&format!("basic.{field}"), "is missing".to_owned())),
            };
            Some((part("user")?, part("password")?))
        }
        Some(other) => {
            return Err(place.wrong_type("basic", other, "an object with `user` and `password`"));
        }
    };
    let names_authorization = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if names_authorization.count() + usize::from(basic.is_some()) > 1 {
        return Err(place.invalid(
            "headers",
            "sets Authorization more than once; accepted is one of `bearer`, `basic` and the header"
                .to_owned(),
        ));
    }
    let seconds = match entry.get("timeout_seconds") {
        None | Some(Value::Null) => DEFAULT_SECONDS,
        Some(value) => value
            .as_u64()
            .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
            .ok_or_else(|| place.wrong_type("timeout_seconds", value, "a whole number from 1 to 86400"))?,
    };
    Ok(OpenApiConfig {
        name: name.to_owned(),
        document,
        server,
        headers,
        query: place.pairs(entry, "query")?,
        basic,
        include: patterns(place, entry, "include")?,
        exclude: patterns(place, entry, "exclude")?,
        timeout: Duration::from_secs(seconds),
        folder: PathBuf::new(),
    })
}

fn patterns(place: &Place<'_>, entry: &Map<String, Value>, field: &str) -> Result<Vec<String>, ConfigError> {
    match entry.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(patterns)) => patterns
            .iter()
            .enumerate()
            .map(|(i, pattern)| match pattern {
                Value::String(pattern) => Ok(pattern.clone()),
                other => Err(place.wrong_type(&format!("{field}[{i}]"), other, "a string")),
            })
            .collect(),
        Some(other) => Err(place.wrong_type(field, other, "a list of strings")),
    }
}
