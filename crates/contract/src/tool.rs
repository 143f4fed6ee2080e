//! What a cell may call, one call of it, and how a call fails.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::InvalidToolName;
use crate::{CallStatus, CellId, JsonText, Location, SessionId, ToolCallId};

/// The name of a tool as a cell writes it: `tools.NAME(…)`.
///
/// An ASCII identifier of 1 to 128 bytes. How names of upstream tools are brought to this form is the
/// catalogue's business.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(Arc<str>);

impl ToolName {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`InvalidToolName`] when it is not an ASCII identifier of 1 to 128 bytes.
    pub fn new(name: &str) -> Result<Self, InvalidToolName> {
        let identifier = name
            .bytes()
            .enumerate()
            .all(|(i, b)| b.is_ascii_alphabetic() || b == b'_' || b == b'$' || (i > 0 && b.is_ascii_digit()));
        if identifier && (1..=128).contains(&name.len()) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidToolName { name: name.chars().take(160).collect() })
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolName({})", self.0)
    }
}

impl TryFrom<String> for ToolName {
    type Error = InvalidToolName;

    fn try_from(name: String) -> Result<Self, InvalidToolName> {
        Self::new(&name)
    }
}

impl From<ToolName> for String {
    fn from(name: ToolName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// A tool, as a session and its cells know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolDescription {
    /// The name it is called by.
    pub name: ToolName,
    /// What it does, for the model. Any text.
    #[serde(default)]
    pub description: String,
    /// The server, or other source, that has it: what belongs together has the same.
    #[serde(default)]
    pub server: Option<String>,
    /// What its owner knows it by, where whoever holds the session wants that brought with each call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ToolOrigin>,
    /// What it takes, as JSON Schema; unknown when absent.
    #[serde(default)]
    pub input_schema: Option<JsonText>,
    /// What it returns; unknown when absent.
    #[serde(default)]
    pub output: Option<ToolOutput>,
    /// What it is said to do to the world.
    #[serde(default)]
    pub hints: ToolHints,
}

impl ToolDescription {
    /// Describes a tool of which nothing else is known.
    #[must_use]
    pub fn new(name: ToolName, description: impl Into<String>) -> Self {
        Self {
            name,
            description: description.into(),
            server: None,
            origin: None,
            input_schema: None,
            output: None,
            hints: ToolHints::default(),
        }
    }

    /// Says which server, or other source, has it.
    #[must_use]
    pub fn with_server(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// Says what its owner knows it by.
    #[must_use]
    pub fn with_origin(mut self, origin: ToolOrigin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Says what it takes, as JSON Schema.
    #[must_use]
    pub fn with_input_schema(mut self, schema: JsonText) -> Self {
        self.input_schema = Some(schema);
        self
    }

    /// Says what it returns.
    #[must_use]
    pub fn with_output(mut self, output: ToolOutput) -> Self {
        self.output = Some(output);
        self
    }

    /// Says what it does to the world.
    #[must_use]
    pub fn with_hints(mut self, hints: ToolHints) -> Self {
        self.hints = hints;
        self
    }
}

/// What a tool's owner knows it by. The session keeps it, also over a crash, and reads nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolOrigin {
    /// Its name there. Any text.
    pub name: String,
    /// The namespace it is in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What kind of input it takes.
    #[serde(default)]
    pub kind: ToolKind,
}

impl ToolOrigin {
    /// Makes that of a tool without a namespace, which takes JSON.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: None, kind: ToolKind::default() }
    }
}

/// What kind of input a tool takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A JSON value.
    #[default]
    Function,
    /// A text.
    Freeform,
}

/// What a tool returns, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolOutput {
    /// The value that `await tools.NAME()` gives, as JSON Schema.
    pub schema: JsonText,
    /// Whether this was learned from what the tool returned before, and is no promise of its owner's.
    #[serde(default)]
    pub observed: bool,
}

/// What a tool's owner says of its effects. Hints: an owner may be wrong, or lie. The defaults are those of MCP's tool
/// annotations (<https://modelcontextprotocol.io/specification/2025-06-18/schema#toolannotations>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolHints {
    /// It changes nothing. Off unless said.
    pub read_only: bool,
    /// It may destroy something. On unless said otherwise.
    pub destructive: bool,
    /// Calling it again with the same input changes nothing more. Off unless said.
    pub idempotent: bool,
    /// It reaches beyond its server. On unless said otherwise.
    pub open_world: bool,
}

impl Default for ToolHints {
    fn default() -> Self {
        Self { read_only: false, destructive: true, idempotent: false, open_world: true }
    }
}

impl ToolHints {
    /// Tells whether a call whose outcome is unknown may be made again.
    #[must_use]
    pub fn repeatable(&self) -> bool {
        self.read_only || self.idempotent
    }
}

/// One call of a tool, as the delegate receives it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolCall {
    /// The session that calls.
    pub session_id: SessionId,
    /// The cell that calls.
    pub cell_id: CellId,
    /// The call, unique within its cell.
    pub call_id: ToolCallId,
    /// The tool.
    pub tool: ToolName,
    /// What its owner knows it by, where its description said that.
    pub origin: Option<ToolOrigin>,
    /// The first argument as JSON; `None` when it was absent or `undefined`.
    pub input: Option<JsonText>,
    /// Where in the cell the call stands, where that is known.
    pub location: Option<Location>,
    /// Through which the delegate tells the session how the call gets on.
    pub status: CallStatus,
}

impl ToolCall {
    /// Makes a call of which nobody wants to hear how it gets on.
    #[must_use]
    pub fn new(
        session_id: SessionId,
        cell_id: CellId,
        call_id: ToolCallId,
        tool: ToolName,
        input: Option<JsonText>,
    ) -> Self {
        Self {
            session_id,
            cell_id,
            call_id,
            tool,
            origin: None,
            input,
            location: None,
            status: CallStatus::default(),
        }
    }

    /// Says where in the cell it stands.
    #[must_use]
    pub fn at(mut self, location: Option<Location>) -> Self {
        self.location = location;
        self
    }

    /// Says what the tool's owner knows it by.
    #[must_use]
    pub fn of(mut self, origin: Option<ToolOrigin>) -> Self {
        self.origin = origin;
        self
    }

    /// Says who hears how it gets on.
    #[must_use]
    pub fn with_status(mut self, status: CallStatus) -> Self {
        self.status = status;
        self
    }

    /// Returns the key under which a repeated delivery of this same call is recognised.
    ///
    /// Not for calls of read-only tools: these are made before they are durable, so after a crash another call of the same
    /// cell may come with the same key. Keep no answers of theirs by it.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}/{}", self.session_id, self.cell_id, self.call_id)
    }
}

/// A failed tool call: what the cell catches as a `ToolError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
#[non_exhaustive]
pub struct ToolError {
    /// What went wrong, for the model.
    pub message: String,
    /// The kind of failure.
    pub code: ToolErrorCode,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// What the tool sent along.
    pub data: Option<JsonText>,
}

impl ToolError {
    /// Makes an error that is not retryable and carries no data.
    pub fn new(code: ToolErrorCode, message: impl Into<String>) -> Self {
        Self { message: message.into(), code, retryable: false, data: None }
    }

    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// Adds what the tool sent along.
    #[must_use]
    pub fn with_data(mut self, data: JsonText) -> Self {
        self.data = Some(data);
        self
    }
}

/// The kinds of failed tool calls; the cell sees the text form as `error.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolErrorCode {
    /// The tool ran and reported a failure.
    Failed,
    /// The input does not fit the tool's schema; the tool was not called.
    InvalidInput,
    /// The tool, or the server that has it, cannot be reached; the tool was not called.
    Unavailable,
    /// The connection broke after the call was sent: it may or may not have happened.
    OutcomeUnknown,
    /// The call took longer than it may.
    TimedOut,
    /// The call was cancelled.
    Cancelled,
    /// The input or the result is larger than allowed.
    TooLarge,
    /// A policy or a person refused the call.
    Denied,
    /// The answer was not what the protocol allows, or the delegate itself failed.
    Internal,
}

impl ToolErrorCode {
    /// Returns the text form, as cells and logs see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::InvalidInput => "invalid_input",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::TooLarge => "too_large",
            Self::Denied => "denied",
            Self::Internal => "internal",
        }
    }
}
