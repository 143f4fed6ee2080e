//! An OpenAPI document: found, read as JSON or YAML, and looked into.
//!
//! A document may come from anybody. Its size, its depth and what its aliases come to are bounded, and it refers to
//! nothing but itself.

use std::path::Path;

use reqwest::Url;
use serde_json::Value;

use super::error::{MalformedDocument, NoOpenApi, OpenApiError, UnfetchedDocument, UnreadableDocument};
use crate::bound::bounded;
use crate::config::OpenApiConfig;
use crate::http::{self, BodyError};

/// The largest document that is read, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// How many references lead from one to another before they lead nowhere.
const MAX_HOPS: usize = 32;

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
    is_3_0: bool,
}

impl Document {
    /// Finds and reads the document that is configured. Returns its address, too, when it has one.
    pub(super) async fn load(config: &OpenApiConfig) -> Result<(Self, Option<Url>), OpenApiError> {
        let place = config.document.expose();
        let url = Url::parse(place).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let text = match &url {
            Some(url) => fetch(config, url).await?,
            None => {
                let path = config.folder.join(place);
                tokio::task::spawn_blocking(move || read(&path))
                    .await
                    .unwrap_or_else(|_| Err(std::io::Error::other("reading it panicked")))
                    .map_err(|source| UnreadableDocument { path: config.document.to_string(), source })?
            }
        };
        let shown = config.document.to_string();
        // Megabytes take a while: not on a thread that others need.
        let parsed = tokio::task::spawn_blocking(move || parse(&text)).await;
        let root = parsed.unwrap_or_else(|_| Err("reading it panicked".to_owned())).map_err(|problem| {
            MalformedDocument { document: shown.clone(), problem: bounded(&problem, 500) }
        })?;
        let document = Self::new(root).map_err(|found| NoOpenApi { document: shown, found })?;
        Ok((document, url))
    }

    /// Takes what was read, or says what it is instead of OpenAPI 3.
    pub(super) fn new(root: Value) -> Result<Self, String> {
        let found = match (root.get("openapi"), root.get("swagger")) {
            (Some(Value::String(version)), _) if version.starts_with("3.") => {
                let is_3_0 = version.starts_with("3.0");
                return Ok(Self { root, is_3_0 });
            }
            (Some(version), _) => format!("it is OpenAPI {}", bounded(&version.to_string(), 40)),
            (None, Some(version)) => format!("it is Swagger {}", bounded(&version.to_string(), 40)),
            (None, None) => "it says nowhere which version of OpenAPI it is".to_owned(),
        };
        Err(found)
    }

    pub(super) fn is_3_0(&self) -> bool {
        self.is_3_0
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Turns a reference into a pointer into this document; `None` when it leads elsewhere.
    #[expect(clippy::unused_self, reason = "a pointer is one into this document")]
    pub(super) fn pointer(&self, reference: &str) -> Option<String> {
        let fragment = reference.strip_prefix('#')?;
        let decoded = percent_decoded(fragment)?;
        decoded.starts_with('/').then_some(decoded)
    }

    pub(super) fn resolve(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// Follows the references of what is no schema: a parameter, a body, a path.
    pub(super) fn follow<'a>(&'a self, mut value: &'a Value) -> Option<&'a Value> {
        for _ in 0..MAX_HOPS {
            match value.get("$ref") {
                Some(Value::String(reference)) => value = self.resolve(&self.pointer(reference)?)?,
                _ => return Some(value),
            }
        }
        None
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|d| u8::try_from(d).ok());
            out.push(digit(bytes.next())? * 16 + digit(bytes.next())?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_BYTES {
        return Err(std::io::Error::other("it is larger than 64 MiB"));
    }
    Ok(text)
}

/// Fetches a document. No credential goes along: those are for the server that it describes.
async fn fetch(config: &OpenApiConfig, url: &Url) -> Result<String, OpenApiError> {
    let failed = |reason: String| UnfetchedDocument {
        url: config.document.to_string(),
        reason: config.redactor().redact(&reason),
    };
    let client = http::client(url.as_str()).map_err(failed)?;
    let request = client
        .get(url.clone())
        .header("user-agent", http::USER_AGENT)
        .header("accept", "application/json, application/yaml, text/yaml, */*;q=0.5")
        .timeout(config.timeout);
    let response = request.send().await.map_err(|error| failed(http::root_cause(&error.without_url())))?;
    if !response.status().is_success() {
        return Err(failed(format!("it answered with HTTP status {}", response.status().as_u16())).into());
    }
    let body = http::body(response, MAX_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => failed("it is larger than 64 MiB".to_owned()),
        BodyError::Broken(reason) => failed(reason),
    })?;
    String::from_utf8(body).map_err(|_| failed("it is not UTF-8".to_owned()).into())
}

/// Reads JSON, or YAML, of which JSON is nearly a part.
fn parse(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    super::yaml::parse(text)
}
