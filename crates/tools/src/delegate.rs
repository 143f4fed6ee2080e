//! A session's way out: its tool calls become calls of the servers, and other sources, that have the tools.

use std::sync::Arc;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, Notification, ToolCall,
    ToolDescription, ToolError, ToolErrorCode, ToolName,
};
use rmcp::model::JsonObject;
use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::learned::Learned;
use crate::sink::NotificationSink;
use crate::source::SourceCall;
use crate::upstreams::Upstreams;

/// The largest input and the largest result of a call, in bytes, unless set otherwise.
const DEFAULT_VALUE_BYTES: usize = 16 << 20;

/// A delegate over a set of upstreams. Cheap to clone; sessions may share one.
///
/// An input is checked against its tool's schema before it leaves. A call of a tool that is not there waits while servers
/// are being connected. A call whose server is gone connects it again, and
/// fails with [`ToolErrorCode::Unavailable`] when that does not succeed. One whose server goes while it runs is made
/// again, once and with the same idempotency key, when the tool says that it is read-only or idempotent; else, and when
/// that fails too, it fails with [`ToolErrorCode::OutcomeUnknown`]. When its token fires, a call is cancelled at the
/// server, which is not waited for.
#[derive(Clone)]
pub struct McpDelegate {
    upstreams: Arc<Upstreams>,
    sink: Arc<dyn NotificationSink>,
    value_bytes: usize,
    learned: Option<Arc<Learned>>,
}

impl McpDelegate {
    /// Makes a delegate whose cells' notifications go to `sink`; [`NoSink`](crate::NoSink) drops them.
    pub fn new(upstreams: impl Into<Arc<Upstreams>>, sink: impl NotificationSink) -> Self {
        Self {
            upstreams: upstreams.into(),
            sink: Arc::new(sink),
            value_bytes: DEFAULT_VALUE_BYTES,
            learned: None,
        }
    }

    /// Sets the largest input and the largest result of a call in bytes: 16 MiB otherwise.
    #[must_use]
    pub fn with_value_bytes(mut self, bytes: usize) -> Self {
        self.value_bytes = bytes;
        self
    }

    /// Learns from answers what tools return whose servers do not say.
    #[must_use]
    pub fn with_learned(mut self, learned: Arc<Learned>) -> Self {
        self.learned = Some(learned);
        self
    }

    /// Returns what a session is told of the tools as they are now, with what was learned of them.
    #[must_use]
    pub fn descriptions(&self) -> Vec<ToolDescription> {
        let catalogue = self.catalogue();
        match &self.learned {
            Some(learned) => learned.describe(&catalogue),
            None => catalogue.descriptions(),
        }
    }

    /// Returns the tools that can be called now.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.upstreams.catalogue()
    }

    /// Returns the upstreams.
    #[must_use]
    pub fn upstreams(&self) -> &Arc<Upstreams> {
        &self.upstreams
    }

    async fn call(&self, mut call: ToolCall, cancel: &CancellationToken) -> Result<JsonText, ToolError> {
        let (tool, input) = (call.tool.clone(), call.input.take());
        let Some(entry) = self.upstreams.find(&tool, cancel).await else {
            return Err(match cancel.is_cancelled() {
                true => ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled"),
                false => self.unknown(&tool),
            });
        };
        let arguments = arguments(input.as_ref(), self.value_bytes)?;
        let arguments = Value::Object(arguments);
        entry.input_schema.check(&arguments).map_err(|invalid| invalid.refuse(&tool))?;
        let Value::Object(arguments) = arguments else {
            return Err(ToolError::new(ToolErrorCode::Internal, "the input is not an object"));
        };
        let call =
            SourceCall { tool: entry.tool.clone(), input: arguments, value_bytes: self.value_bytes, call };
        let answer = self.upstreams.call(&entry, call, cancel).await?;
        if let Some(learned) = &self.learned {
            learned.observe(&entry, &answer);
        }
        Ok(answer)
    }

    fn unknown(&self, tool: &ToolName) -> ToolError {
        let catalogue = self.catalogue();
        let near: Vec<String> =
            catalogue.nearest(tool.as_str(), 3).iter().map(|name| format!("`{name}`")).collect();
        let hint =
            if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
        let dead: Vec<String> =
            self.upstreams.failures().iter().map(|failure| format!("`{}`", failure.server)).collect();
        let dead = if dead.is_empty() {
            String::new()
        } else {
            format!("; not connected, so without tools: {}", dead.join(", "))
        };
        ToolError::new(ToolErrorCode::Unavailable, format!("there is no tool `{tool}`{hint}{dead}"))
    }
}

/// Reads a call's input: nothing is `{}`, and MCP takes objects only.
fn arguments(input: Option<&JsonText>, max_bytes: usize) -> Result<JsonObject, ToolError> {
    let Some(input) = input else { return Ok(JsonObject::new()) };
    let text = input.as_str();
    if text.len() > max_bytes {
        return Err(ToolError::new(
            ToolErrorCode::TooLarge,
            format!("the input is {} bytes; accepted are up to {max_bytes}", text.len()),
        ));
    }
    let invalid = |problem: String| ToolError::new(ToolErrorCode::InvalidInput, problem);
    // Not `to_value`, which turns what it cannot read into null.
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(other) => {
            let found = match other {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                Value::String(_) => "a string",
                Value::Array(_) | Value::Object(_) => "a list",
            };
            Err(invalid(format!(
                "the input is {found}; a tool takes one object with named values, as in {{ name: value }}"
            )))
        }
        Err(error) => Err(invalid(format!("the input cannot be read: {error}"))),
    }
}

impl CodeModeSessionDelegate for McpDelegate {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move { self.call(call, &cancel).await })
    }

    fn notify(
        &self,
        notification: Notification,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        self.sink.notify(notification, cancel)
    }

    fn cell_closed(&self, cell_id: &CellId) {
        self.sink.cell_closed(cell_id);
    }
}

impl std::fmt::Debug for McpDelegate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpDelegate").field("upstreams", &self.upstreams).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Result<JsonObject, ToolError> {
        arguments(Some(&JsonText::parse(text).unwrap()), 1 << 10)
    }

    #[test]
    fn no_input_is_an_empty_object() {
        assert!(arguments(None, 0).unwrap().is_empty());
        assert_eq!(input(r#"{"a":1}"#).unwrap().len(), 1);
    }

    #[test]
    fn an_input_must_be_an_object_within_bounds() {
        for (text, found) in [("1", "a number"), ("[]", "a list"), ("\"x\"", "a string"), ("null", "null")] {
            let error = input(text).unwrap_err();
            assert_eq!(error.code, ToolErrorCode::InvalidInput);
            assert!(error.message.contains(found), "{error}");
        }
        assert_eq!(input(&format!("\"{}\"", "x".repeat(2000))).unwrap_err().code, ToolErrorCode::TooLarge);
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(input(&deep).unwrap_err().code, ToolErrorCode::InvalidInput);
    }
}
