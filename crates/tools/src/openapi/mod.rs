//! OpenAPI documents as tools: one for each operation.
//!
//! A document is read once ([`document`]), each of its operations that the configuration wants becomes a tool
//! ([`operation`], [`schema`]), and a call of it one HTTP request ([`request`]) whose answer looks as that of an MCP
//! server would ([`response`]). Documents and servers may be anybody's: what they can cost is bounded, and no
//! credential goes anywhere but to the server that was meant.

mod document;
mod error;
mod filter;
mod operation;
mod request;
mod response;
mod schema;
mod server;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use carrel_contract::{CancellationToken, CodeModeFuture, JsonText, ToolError, ToolErrorCode};
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::Value;

pub use error::{
    MalformedDocument, NoOpenApi, NoServer, OpenApiError, ServerElsewhere, UnfetchedDocument,
    UnreadableDocument,
};

use self::document::Document;
use self::filter::Filter;
use self::operation::{Found, Operation, Place};
use self::response::Answer;
use crate::bound::bounded;
use crate::config::{OpenApiConfig, Redactor};
use crate::http::{self as client, BodyError};
use crate::source::{SourceCall, SourceTool, ToolSource};
use crate::upstream::{IdlePatterns, MalformedTools, ServerWarning, TooManyTools};

/// Operations that a warning names; the rest are counted.
const MAX_NAMED: usize = 5;
/// The longest name of an operation, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The operations of one document.
pub(crate) struct OpenApi {
    name: String,
    operations: BTreeMap<String, Operation>,
    tools: std::sync::Mutex<Vec<SourceTool>>,
    client: reqwest::Client,
    headers: http::HeaderMap,
    query: Vec<(String, String)>,
    basic: Option<(String, String)>,
    timeout: std::time::Duration,
    redactor: Redactor,
}

impl OpenApi {
    /// Reads the document that is configured, of which at most `max_tools` operations become tools.
    pub(crate) async fn load(
        config: &OpenApiConfig,
        max_tools: usize,
    ) -> Result<(Self, Vec<ServerWarning>), OpenApiError> {
        let (document, came_from) = Document::load(config).await?;
        let server = server::find(config, &document, came_from.as_ref())?;
        let http = client::client(server.as_str()).map_err(OpenApiError::Client)?;
        let mut headers = http::HeaderMap::new();
        for (name, value) in &config.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value.expose());
            // Both were checked when the configuration was read.
            if let (Ok(name), Ok(mut value)) = (name, value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        let configured = configured(config);
        let wanted = config.clone();
        // Thousands of operations take a while: not on a thread that others need.
        let read =
            tokio::task::spawn_blocking(move || read(&document, &server, &wanted, &configured, max_tools));
        let (operations, tools, warnings) =
            read.await.map_err(|_| OpenApiError::Client("reading the operations panicked".to_owned()))?;
        let texts =
            |(name, value): &(String, crate::config::Secret)| (name.clone(), value.expose().to_owned());
        let openapi = Self {
            name: config.name.clone(),
            operations,
            tools: std::sync::Mutex::new(tools),
            client: http,
            headers,
            query: config.query.iter().map(texts).collect(),
            basic: config
                .basic
                .as_ref()
                .map(|(user, password)| (user.expose().to_owned(), password.expose().to_owned())),
            timeout: config.timeout,
            redactor: config.redactor(),
        };
        Ok((openapi, warnings))
    }

    async fn perform(&self, call: SourceCall) -> Result<JsonText, ToolError> {
        let Some(operation) = self.operations.get(&call.tool) else {
            return Err(ToolError::new(
                ToolErrorCode::Unavailable,
                format!("there is no operation `{}`", call.tool),
            ));
        };
        let mut request = request::write(operation, &call.input)?;
        let shown = self.redactor.redact(request.url.as_str());
        for (name, value) in &self.query {
            request.url.query_pairs_mut().append_pair(name, value);
        }
        request.headers.extend(self.headers.clone());
        let mut sent = self.client.request(operation.method.clone(), request.url).timeout(self.timeout);
        if !self.headers.contains_key(header::USER_AGENT) {
            sent = sent.header(header::USER_AGENT, client::USER_AGENT);
        }
        sent = sent.headers(request.headers);
        if let Some((user, password)) = &self.basic {
            sent = sent.basic_auth(user, Some(password));
        }
        if let Some(body) = request.body {
            sent = sent.body(body);
        }
        let repeatable = operation.method.is_idempotent();
        let response = sent.send().await.map_err(|error| self.unanswered(error, repeatable))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if operation.method == Method::HEAD && status.is_success() {
            let texts =
                headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
            let texts: BTreeMap<_, _> = texts.collect();
            return Ok(JsonText::from_value(
                &serde_json::json!({ "status": status.as_u16(), "headers": texts }),
            ));
        }
        let body = match client::body(response, call.value_bytes).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                let bytes = call.value_bytes;
                let problem = format!("the answer is larger than {bytes} bytes. Ask for less at a time");
                return Err(ToolError::new(ToolErrorCode::TooLarge, problem));
            }
            Err(BodyError::Broken(reason)) => {
                let reason = self.redactor.redact(&reason);
                let problem =
                    format!("the answer broke off: {reason}; the call may or may not have happened");
                return Err(ToolError::new(ToolErrorCode::OutcomeUnknown, problem).with_retryable(repeatable));
            }
        };
        let answer = Answer { status, headers: &headers, body: &body, url: &shown };
        if !status.is_success() {
            return Err(answer.failure(&self.redactor));
        }
        let value = answer.value();
        if value.as_str().len() > call.value_bytes {
            let (found, bytes) = (value.as_str().len(), call.value_bytes);
            let problem =
                format!("the answer is {found} bytes; accepted are up to {bytes}. Ask for less at a time");
            return Err(ToolError::new(ToolErrorCode::TooLarge, problem));
        }
        Ok(value)
    }

    fn unanswered(&self, error: reqwest::Error, repeatable: bool) -> ToolError {
        let (connecting, late) = (error.is_connect() || error.is_builder(), error.is_timeout());
        let reason = bounded(&self.redactor.redact(&client::root_cause(&error.without_url())), 500);
        let name = &self.name;
        if connecting {
            let problem = format!("the server of `{name}` cannot be reached: {reason}; nothing was called");
            return ToolError::new(ToolErrorCode::Unavailable, problem).with_retryable(true);
        }
        if late {
            let problem = format!(
                "the server of `{name}` did not answer within {:?}; the call may or may not have happened",
                self.timeout
            );
            return ToolError::new(ToolErrorCode::TimedOut, problem).with_retryable(repeatable);
        }
        let problem = format!("no answer from `{name}`: {reason}; the call may or may not have happened");
        ToolError::new(ToolErrorCode::OutcomeUnknown, problem).with_retryable(repeatable)
    }
}

impl ToolSource for OpenApi {
    fn name(&self) -> &str {
        &self.name
    }

    fn tools(&self) -> Vec<SourceTool> {
        // Asked once, and megabytes: handed over.
        self.tools.lock().map(|mut tools| std::mem::take(&mut *tools)).unwrap_or_default()
    }

    fn call(&self, call: SourceCall, cancel: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            tokio::select! {
                biased;
                answer = self.perform(call) => answer,
                () = cancel.cancelled() => Err(ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled")),
            }
        })
    }
}

/// The parameters that the configuration gives, and no caller.
fn configured(config: &OpenApiConfig) -> BTreeSet<(Place, String)> {
    let headers = config.headers.iter().map(|(name, _)| (Place::Header, name.to_ascii_lowercase()));
    headers.chain(config.query.iter().map(|(name, _)| (Place::Query, name.clone()))).collect()
}

type Read = (BTreeMap<String, Operation>, Vec<SourceTool>, Vec<ServerWarning>);

/// Reads the operations of a document.
fn read(
    document: &Document,
    server: &reqwest::Url,
    config: &OpenApiConfig,
    configured: &BTreeSet<(Place, String)>,
    max_tools: usize,
) -> Read {
    let filter = Filter::new(&config.include, &config.exclude);
    let mut operations = BTreeMap::new();
    let mut tools = Vec::new();
    let mut left_out: Vec<(String, String)> = Vec::new();
    let mut warnings = Vec::new();
    let paths = document.root().get("paths").and_then(Value::as_object);
    'paths: for (path, item) in paths.into_iter().flatten() {
        let Some(item) = document.follow(item).filter(|item| item.is_object()) else {
            left_out.push((path.clone(), "it refers to what is not there".to_owned()));
            continue;
        };
        for method in [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let field = method.as_str().to_ascii_lowercase();
            let Some(operation) = item.get(&field).filter(|operation| operation.is_object()) else {
                continue;
            };
            let found = Found { document, path, item, method, operation, server, configured };
            let mut name = bounded(&found.name(), MAX_NAME_BYTES);
            let call = format!("{} {path}", found.method);
            if !filter.takes(&name, &call, &found.tags().collect::<Vec<_>>()) {
                continue;
            }
            if operations.len() == max_tools {
                warnings.push(TooManyTools { server: config.name.clone(), kept: max_tools }.into());
                break 'paths;
            }
            if operations.contains_key(&name) {
                // Ids should differ, and some do not.
                name = bounded(&format!("{name} {call}"), MAX_NAME_BYTES);
            }
            match found.read(&name) {
                Ok((operation, tool)) if !operations.contains_key(&name) => {
                    operations.insert(name, operation);
                    tools.push(tool);
                }
                Ok(_) => left_out.push((call, "another operation has its name".to_owned())),
                Err(problem) => left_out.push((call, bounded(&problem, 300))),
            }
        }
    }
    if !left_out.is_empty() {
        let more = left_out.len().saturating_sub(MAX_NAMED);
        left_out.truncate(MAX_NAMED);
        let shown = |text: &str| crate::printable::printable(&bounded(text, 300));
        let first = left_out.iter().map(|(call, problem)| (shown(call), shown(problem))).collect();
        warnings.push(MalformedTools { server: config.name.clone(), first, more }.into());
    }
    let idle: Vec<String> = filter.idle().map(str::to_owned).collect();
    if !idle.is_empty() {
        warnings.push(IdlePatterns { source_name: config.name.clone(), patterns: idle }.into());
    }
    (operations, tools, warnings)
}
