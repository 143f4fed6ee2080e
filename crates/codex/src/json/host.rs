//! What a host says: to the letter what the observed host says, because a client refuses fields that it does not know.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::JsonText;
use serde::{Serialize, Serializer};

use crate::service::{Detail, Ending, Item, Response, ToolKind, ToolName, Waited};

/// A message of the host's.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(crate) enum HostMessage<'a> {
    #[serde(rename = "connection/ready")]
    Ready { selected_version: u32, capabilities: &'a [String] },
    #[serde(rename = "connection/rejected")]
    Rejected { reason: Rejection },
    #[serde(rename = "operation/response")]
    Response { id: i64, result: Outcome<Value<'a>> },
    /// The second message that answers the request for a cell.
    #[serde(rename = "execute/initialResponse")]
    InitialResponse { id: i64, result: Outcome<Observed<'a>> },
    #[serde(rename = "delegate/request")]
    Request { id: i64, session_id: &'a str, request: Callback<'a> },
    #[serde(rename = "delegate/cancel")]
    Cancel { id: i64 },
    #[serde(rename = "cell/closed")]
    CellClosed { session_id: &'a str, cell_id: &'a str },
}

/// Why there is no connection.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Rejection {
    NoCompatibleVersion { supported_versions: [u32; 1] },
    MissingRequiredCapability { capability: String },
    InvalidHello { message: &'static str },
}

/// What came of a request.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum Outcome<T> {
    Ok { value: T },
    Error { message: String },
}

impl<T> From<Result<T, String>> for Outcome<T> {
    fn from(result: Result<T, String>) -> Self {
        match result {
            Ok(value) => Self::Ok { value },
            Err(message) => Self::Error { message },
        }
    }
}

/// What a request is answered with.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(crate) enum Value<'a> {
    #[serde(rename = "session/ready")]
    SessionReady { session_id: &'a str },
    #[serde(rename = "execution/started")]
    Started { cell_id: &'a str },
    #[serde(rename = "wait/completed")]
    WaitCompleted { outcome: Looked<'a> },
    #[serde(rename = "session/closed")]
    SessionClosed { session_id: &'a str },
}

/// What a look found.
#[derive(Debug, Serialize)]
pub(crate) enum Looked<'a> {
    LiveCell(Observed<'a>),
    MissingCell(Observed<'a>),
}

impl<'a> From<&'a Waited> for Looked<'a> {
    fn from(waited: &'a Waited) -> Self {
        match waited {
            Waited::Live(response) => Self::LiveCell(response.into()),
            Waited::Missing(response) => Self::MissingCell(response.into()),
        }
    }
}

/// What was seen of a cell.
#[derive(Debug, Serialize)]
pub(crate) enum Observed<'a> {
    Yielded {
        cell_id: &'a str,
        content_items: Vec<ContentItem<'a>>,
        code_mode_host_duration_ns: Nanoseconds,
    },
    Terminated {
        cell_id: &'a str,
        content_items: Vec<ContentItem<'a>>,
        code_mode_host_duration_ns: Nanoseconds,
    },
    Result {
        cell_id: &'a str,
        content_items: Vec<ContentItem<'a>>,
        error_text: Option<&'a str>,
        result_buffered_for_ns: Nanoseconds,
        code_mode_host_duration_ns: Nanoseconds,
    },
}

impl<'a> From<&'a Response> for Observed<'a> {
    fn from(response: &'a Response) -> Self {
        let cell_id = &*response.cell_id;
        let content_items = response.items.iter().map(ContentItem::from).collect();
        let code_mode_host_duration_ns = Nanoseconds(response.duration);
        match &response.ending {
            Ending::Yielded => Self::Yielded { cell_id, content_items, code_mode_host_duration_ns },
            Ending::Terminated => Self::Terminated { cell_id, content_items, code_mode_host_duration_ns },
            Ending::Completed { error, buffered_for } => Self::Result {
                cell_id,
                content_items,
                error_text: error.as_deref(),
                result_buffered_for_ns: Nanoseconds(*buffered_for),
                code_mode_host_duration_ns,
            },
        }
    }
}

/// A time in whole nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nanoseconds(pub(crate) Duration);

impl Serialize for Nanoseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// A piece of output.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(crate) enum ContentItem<'a> {
    #[serde(rename = "input_text")]
    Text { text: &'a str },
    #[serde(rename = "input_image")]
    Image { image_url: &'a str, detail: &'static str },
    #[serde(rename = "input_audio")]
    Audio { audio_url: &'a str },
}

impl<'a> From<&'a Item> for ContentItem<'a> {
    fn from(item: &'a Item) -> Self {
        match item {
            Item::Text(text) => Self::Text { text },
            Item::Image { url, detail } => Self::Image { image_url: url, detail: name_of(*detail) },
            Item::Audio { url } => Self::Audio { audio_url: url },
        }
    }
}

fn name_of(detail: Detail) -> &'static str {
    match detail {
        Detail::Auto => "auto",
        Detail::Low => "low",
        Detail::High => "high",
        Detail::Original => "original",
    }
}

/// What the client is asked for.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(crate) enum Callback<'a> {
    #[serde(rename = "tool/invoke")]
    Invoke { invocation: Invocation<'a> },
    #[serde(rename = "notification/send")]
    Notify { call_id: &'a str, cell_id: &'a str, text: &'a str },
}

/// A call of a tool.
#[derive(Debug, Serialize)]
pub(crate) struct Invocation<'a> {
    pub(crate) cell_id: &'a str,
    pub(crate) runtime_tool_call_id: &'a str,
    pub(crate) tool_name: Name<'a>,
    pub(crate) tool_kind: &'static str,
    pub(crate) input: Option<JsonText>,
}

/// The name of a tool at the client's.
#[derive(Debug, Serialize)]
pub(crate) struct Name<'a> {
    name: &'a str,
    namespace: Option<&'a str>,
}

impl<'a> From<&'a Arc<ToolName>> for Name<'a> {
    fn from(tool: &'a Arc<ToolName>) -> Self {
        Self { name: &tool.name, namespace: tool.namespace.as_deref() }
    }
}

pub(crate) fn kind_of(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Function => "function",
        ToolKind::Freeform => "freeform",
    }
}
