//! Between messages and what the sessions of both transports speak of.

use std::time::Duration;

use carrel_contract::JsonText;
use tonic::Status;

use super::messages as m;
use crate::service::{Detail, Ending, Item, Response, Tool, ToolKind, ToolName, Waited};

pub(super) fn tokens(tokens: Option<u64>) -> Option<usize> {
    tokens.map(|tokens| usize::try_from(tokens).unwrap_or(usize::MAX))
}

/// The longest name that a tool may have.
const MAX_NAME_BYTES: usize = 256;

fn check_name(what: &str, name: &str, may_be_empty: bool) -> Result<(), Status> {
    let wrong = match name.len() {
        0 if !may_be_empty => "must not be empty".to_owned(),
        0..=MAX_NAME_BYTES => return Ok(()),
        _ => format!("exceeds {MAX_NAME_BYTES} bytes"),
    };
    Err(Status::invalid_argument(format!("code-mode {what} {wrong}")))
}

pub(super) fn tool(definition: m::ToolDefinition) -> Result<Tool, Status> {
    let Some(name) = definition.tool_name else {
        return Err(Status::invalid_argument("code-mode tool definition has no tool name"));
    };
    check_name("tool definition name", &definition.name, false)?;
    check_name("tool name", &name.name, false)?;
    check_name("tool namespace", name.namespace.as_deref().unwrap_or_default(), true)?;
    let mut origin = ToolName::new(name.name);
    origin.namespace = name.namespace;
    origin.kind = match definition.kind {
        1 => ToolKind::Function,
        2 => ToolKind::Freeform,
        kind => return Err(Status::invalid_argument(format!("unknown code-mode tool kind {kind}"))),
    };
    let input_schema = schema("input", definition.input_schema_json)?;
    schema("output", definition.output_schema_json)?;
    Ok(Tool { name: definition.name, description: definition.description, origin, input_schema })
}

fn schema(which: &str, bytes: Option<Vec<u8>>) -> Result<Option<JsonText>, Status> {
    let invalid = |error: &dyn std::fmt::Display| {
        Status::invalid_argument(format!("invalid code-mode tool {which} schema JSON: {error}"))
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|error| invalid(&error))?;
    JsonText::parse(text).map(Some).map_err(|error| invalid(&error.message))
}

pub(super) fn kind(kind: ToolKind) -> i32 {
    match kind {
        ToolKind::Function => 1,
        ToolKind::Freeform => 2,
    }
}

pub(super) fn name(tool: &ToolName) -> m::ToolName {
    m::ToolName { name: tool.name.clone(), namespace: tool.namespace.clone() }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn outcome(response: Response) -> m::ExecutionOutcome {
    use m::ExecutionOutcomeOutcome as Outcome;
    m::ExecutionOutcome {
        cell_id: response.cell_id,
        content_items: response.items.into_iter().map(item).collect(),
        code_mode_host_duration_ns: Some(nanoseconds(response.duration)),
        outcome: Some(match response.ending {
            Ending::Yielded => Outcome::Yielded(m::Empty {}),
            Ending::Terminated => Outcome::Terminated(m::Empty {}),
            Ending::Completed { error, .. } => {
                Outcome::Completed(m::ExecutionCompleted { error_text: error })
            }
        }),
    }
}

fn item(item: Item) -> m::ContentItem {
    use m::ContentItemItem as Kind;
    m::ContentItem {
        item: Some(match item {
            Item::Text(text) => Kind::Text(m::TextContent { text }),
            Item::Image { url, detail } => {
                Kind::Image(m::ImageContent { image_url: url, detail: Some(number(detail)) })
            }
            Item::Audio { url } => Kind::Audio(m::AudioContent { audio_url: url }),
        }),
    }
}

fn number(detail: Detail) -> i32 {
    match detail {
        Detail::Auto => 1,
        Detail::Low => 2,
        Detail::High => 3,
        Detail::Original => 4,
    }
}

/// Answers a look at a cell. How long an outcome was there before anybody looked is said beside the message.
pub(super) fn waited(waited: Waited) -> tonic::Response<m::WaitResponse> {
    let buffered_for = match &waited {
        Waited::Live(Response { ending: Ending::Completed { buffered_for, .. }, .. }) => {
            Some(nanoseconds(*buffered_for))
        }
        _ => None,
    };
    let state = match waited {
        Waited::Live(response) => m::WaitResponseState::Live(outcome(response)),
        Waited::Missing(response) => m::WaitResponseState::Missing(outcome(response)),
    };
    let mut response = tonic::Response::new(m::WaitResponse { state: Some(state) });
    if let Some(buffered_for) = buffered_for {
        response.metadata_mut().insert("codex-code-mode-result-buffered-for-ns", buffered_for.into());
    }
    response
}
