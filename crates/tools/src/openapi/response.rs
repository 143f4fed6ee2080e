//! What a server answered, as the cell gets it: as an MCP server's answer would look.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carrel_contract::{JsonText, ToolError, ToolErrorCode};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::bound::bounded;
use crate::config::Redactor;

/// The longest message of a refusal that is kept, in bytes.
const MAX_MESSAGE_BYTES: usize = 2 << 10;

/// An answer that was read to its end.
pub(super) struct Answer<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) url: &'a str,
}

impl Answer<'_> {
    /// Turns a success into what the call resolves to.
    ///
    /// JSON is its value and text a string; an image, audio or anything else is a list with one content block of MCP.
    /// Nothing is null.
    pub(super) fn value(&self) -> JsonText {
        let kind = self.content_type();
        if self.body.is_empty() {
            return JsonText::from_value(&Value::Null);
        }
        let text = std::str::from_utf8(self.body);
        match (kind.as_str(), text) {
            (kind, Ok(text)) if is_json(kind) || kind.is_empty() => {
                JsonText::parse(text).unwrap_or_else(|_| JsonText::from_value(&Value::from(text)))
            }
            (kind, Ok(text)) if is_text(kind) => JsonText::from_value(&Value::from(text)),
            (kind, _) => {
                let data = STANDARD.encode(self.body);
                let block = match kind.split('/').next() {
                    Some(medium @ ("image" | "audio")) => {
                        json!({ "type": medium, "data": data, "mimeType": kind })
                    }
                    _ => {
                        let kind = if kind.is_empty() { "application/octet-stream" } else { kind };
                        json!({ "type": "resource",
                                "resource": { "uri": self.url, "mimeType": kind, "blob": data } })
                    }
                };
                JsonText::from_value(&json!([block]))
            }
        }
    }

    /// Turns anything but a success into what the call rejects with.
    pub(super) fn failure(&self, redactor: &Redactor) -> ToolError {
        let status = self.status.as_u16();
        let text = String::from_utf8_lossy(self.body);
        let parsed: Option<Value> = serde_json::from_str(&text).ok();
        let said = parsed.as_ref().and_then(says).map_or_else(|| text.trim().to_owned(), str::to_owned);
        let mut message = format!("HTTP {}", self.status);
        if self.status.is_redirection() {
            message.push_str(": it redirects elsewhere, where nobody follows with these credentials");
        } else if !said.is_empty() && !self.content_type().contains("html") {
            message.push_str(": ");
            message.push_str(&bounded(&redactor.redact(&said), MAX_MESSAGE_BYTES));
        }
        let mut data = Map::from_iter([("status".to_owned(), Value::from(status))]);
        if let Some(after) = self.headers.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()) {
            let after = after.parse::<u64>().map_or_else(|_| Value::from(after), Value::from);
            data.insert("retry_after".to_owned(), after);
        }
        if text.len() <= 8 * MAX_MESSAGE_BYTES
            && let Some(body) = parsed
        {
            let redacted = redactor.redact(&body.to_string());
            data.insert("body".to_owned(), serde_json::from_str(&redacted).unwrap_or(Value::from(redacted)));
        }
        ToolError::new(ToolErrorCode::Failed, message)
            .with_retryable(matches!(status, 429 | 503))
            .with_data(JsonText::from_value(&Value::Object(data)))
    }

    fn content_type(&self) -> String {
        let named =
            self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Finds the words in a body that says what was wrong: most servers have them under one of these names.
fn says(body: &Value) -> Option<&str> {
    for at in [
        "/message",
        "/error/message",
        "/detail",
        "/title",
        "/error_description",
        "/error",
        "/errors/0/message",
    ] {
        if let Some(text) = body.pointer(at).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            return Some(text);
        }
    }
    body.as_str()
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/")
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/xml"
                | "application/javascript"
                | "application/yaml"
                | "application/x-yaml"
                | "application/x-ndjson"
                | "application/x-www-form-urlencoded"
        )
}
