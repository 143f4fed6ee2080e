//! What a client says. Fields that are not known are refused: at version 1 nothing may be said that the other side could
//! pass over in silence.
//!
//! Each message is read in two steps, its tag and then the rest: so values that only pass through stay the text they are.

use std::borrow::Cow;

use carrel_contract::JsonText;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads the text of a value and the tag in it.
fn tagged<'de, D: Deserializer<'de>, T: Tagged<'de>>(
    deserializer: D,
) -> Result<(Cow<'de, str>, &'de str), D::Error> {
    let text = <&RawValue>::deserialize(deserializer)?.get();
    let tag = serde_json::from_str::<T>(text).map_err(D::Error::custom)?;
    Ok((tag.into_tag(), text))
}

trait Tagged<'de>: Deserialize<'de> {
    fn into_tag(self) -> Cow<'de, str>;
}

macro_rules! tag {
    ($name:ident, $field:literal) => {
        #[derive(Deserialize)]
        struct $name<'a> {
            #[serde(rename = $field, borrow)]
            tag: Cow<'a, str>,
        }

        impl<'de> Tagged<'de> for $name<'de> {
            fn into_tag(self) -> Cow<'de, str> {
                self.tag
            }
        }
    };
}

tag!(Type, "type");
tag!(Method, "method");
tag!(Status, "status");

fn read<T: DeserializeOwned, E: serde::de::Error>(text: &str) -> Result<T, E> {
    serde_json::from_str(text).map_err(E::custom)
}

/// The place of a tag that was read before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read;

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A message of the client's.
#[derive(Clone, Debug)]
pub(crate) enum ClientMessage {
    Hello(Hello),
    Request(Box<Request>),
    /// It no longer wants an answer.
    Cancel(Named),
    /// It wants an answer now.
    Yield(Named),
    Response(Response),
}

impl<'de> Deserialize<'de> for ClientMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (tag, text) = tagged::<D, Type<'_>>(deserializer)?;
        match &*tag {
            "connection/hello" => read(text).map(Self::Hello),
            "operation/request" => read(text).map(Box::new).map(Self::Request),
            "operation/cancel" => read(text).map(Self::Cancel),
            "operation/yield" => read(text).map(Self::Yield),
            "delegate/response" => read(text).map(Self::Response),
            other => Err(D::Error::unknown_variant(
                other,
                &[
                    "connection/hello",
                    "operation/request",
                    "operation/cancel",
                    "operation/yield",
                    "delegate/response",
                ],
            )),
        }
    }
}

/// The first message.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Hello {
    #[serde(rename = "type")]
    _tag: Read,
    pub(crate) supported_versions: Vec<u32>,
    pub(crate) required_capabilities: Vec<String>,
    pub(crate) optional_capabilities: Vec<String>,
}

/// Asks for something.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(rename = "type")]
    _tag: Read,
    /// Never used twice.
    pub(crate) id: i64,
    pub(crate) request: Operation,
}

/// Names a request.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    #[serde(rename = "type")]
    _tag: Read,
    pub(crate) id: i64,
}

/// Answers a callback.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Response {
    #[serde(rename = "type")]
    _tag: Read,
    pub(crate) id: i64,
    pub(crate) result: Answer,
}

/// What can be asked for.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Open(Open),
    Execute(Execute),
    Wait(Wait),
    Terminate(Terminate),
    Shutdown(Shutdown),
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (tag, text) = tagged::<D, Method<'_>>(deserializer)?;
        match &*tag {
            "session/open" => read(text).map(Self::Open),
            "session/execute" => read(text).map(Self::Execute),
            "session/wait" => read(text).map(Self::Wait),
            "session/terminate" => read(text).map(Self::Terminate),
            "session/shutdown" => read(text).map(Self::Shutdown),
            other => Err(D::Error::unknown_variant(
                other,
                &["session/open", "session/execute", "session/wait", "session/terminate", "session/shutdown"],
            )),
        }
    }
}

/// Asks for a session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Open {
    #[serde(rename = "method")]
    _tag: Read,
    pub(crate) session_id: String,
    #[serde(default)]
    pub(crate) cell_execution_limits: Option<CellLimits>,
    #[serde(default)]
    pub(crate) output_truncation: Option<Truncation>,
}

/// Limits of cells.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CellLimits {
    #[serde(default)]
    pub(crate) max_yield_time_ms: Option<u64>,
    #[serde(default)]
    pub(crate) max_heap_size_bytes: Option<u64>,
}

/// Who cuts output that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Truncation {
    Server,
    Client,
}

/// Asks for a cell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Execute {
    #[serde(rename = "method")]
    _tag: Read,
    pub(crate) session_id: String,
    pub(crate) request: Cell,
}

/// A cell to run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cell {
    /// What notifications are sent under.
    pub(crate) tool_call_id: String,
    pub(crate) enabled_tools: Vec<ToolDefinition>,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) yield_time_ms: Option<u64>,
    #[serde(default)]
    pub(crate) max_output_tokens: Option<i32>,
}

/// A tool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolDefinition {
    pub(crate) name: String,
    pub(crate) tool_name: ToolName,
    pub(crate) description: String,
    pub(crate) kind: ToolKind,
    #[serde(default)]
    pub(crate) input_schema: Option<JsonText>,
    /// Nobody needs it: a result is passed on as it is.
    #[serde(default, rename = "output_schema")]
    _output_schema: Option<IgnoredAny>,
}

/// A tool's name at the client's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolName {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
}

/// What a tool takes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ToolKind {
    Function,
    Freeform,
}

/// Asks to look at a cell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Wait {
    #[serde(rename = "method")]
    _tag: Read,
    pub(crate) session_id: String,
    pub(crate) request: Look,
    #[serde(default)]
    pub(crate) max_output_tokens: Option<i32>,
}

/// The cell to look at, and how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    pub(crate) cell_id: String,
    pub(crate) yield_time_ms: u64,
}

/// Asks for the end of a cell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Terminate {
    #[serde(rename = "method")]
    _tag: Read,
    pub(crate) session_id: String,
    pub(crate) cell_id: String,
    #[serde(default)]
    pub(crate) max_output_tokens: Option<i32>,
}

/// Asks for the end of a session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Shutdown {
    #[serde(rename = "method")]
    _tag: Read,
    pub(crate) session_id: String,
}

/// An answer of the client's.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Ok(Value),
    /// Why it did not do what it was asked for.
    Error(String),
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Done {
            #[serde(rename = "status")]
            _tag: Read,
            value: Value,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Failed {
            #[serde(rename = "status")]
            _tag: Read,
            message: String,
        }
        let (tag, text) = tagged::<D, Status<'_>>(deserializer)?;
        match &*tag {
            "ok" => read(text).map(|done: Done| Self::Ok(done.value)),
            "error" => read(text).map(|failed: Failed| Self::Error(failed.message)),
            other => Err(D::Error::unknown_variant(other, &["ok", "error"])),
        }
    }
}

/// What came of a callback.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    ToolResult(JsonText),
    Delivered,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ToolResult {
            #[serde(rename = "type")]
            _tag: Read,
            result: JsonText,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Delivered {
            #[serde(rename = "type")]
            _tag: Read,
        }
        let (tag, text) = tagged::<D, Type<'_>>(deserializer)?;
        match &*tag {
            "tool/result" => read(text).map(|value: ToolResult| Self::ToolResult(value.result)),
            "notification/delivered" => read(text).map(|_: Delivered| Self::Delivered),
            other => Err(D::Error::unknown_variant(other, &["tool/result", "notification/delivered"])),
        }
    }
}
