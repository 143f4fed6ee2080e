//! Where tools come from that no MCP server has: an embedder's closures, an OpenAPI document.
//!
//! A source lists its tools by the names they have there and is called by those. What names cells use, whether an
//! input fits, and what a tool that is not there is told is the same for all: see [`Upstreams`](crate::Upstreams)
//! and [`McpDelegate`](crate::McpDelegate).

use carrel_contract::{CancellationToken, CodeModeFuture, JsonText, ToolCall, ToolError, ToolHints};
use serde_json::{Map, Value};

/// Tools that belong together.
pub trait ToolSource: Send + Sync + 'static {
    /// Returns the name that goes before those of its tools; nothing goes before those of a source whose name is empty.
    fn name(&self) -> &str;

    /// Returns its tools. Asked once.
    fn tools(&self) -> Vec<SourceTool>;

    /// Performs a call of one of its tools, whose input fits the schema.
    ///
    /// The future is dropped only after `cancel` has fired.
    fn call(&self, call: SourceCall, cancel: CancellationToken) -> CodeModeFuture<'_, JsonText, ToolError>;
}

/// A tool as its source has it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceTool {
    /// The name it has there.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// What it takes, as JSON Schema of an object.
    pub input_schema: Value,
    /// What it returns, as JSON Schema, where that is known.
    pub output_schema: Option<Value>,
    /// What it does to the world.
    pub hints: ToolHints,
}

/// A call as its source gets it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceCall {
    /// The name the tool has there.
    pub tool: String,
    /// Its input; empty when the cell gave none.
    pub input: Map<String, Value>,
    /// The largest result that is accepted, in bytes.
    pub value_bytes: usize,
    /// The call as the session made it.
    pub call: ToolCall,
}

impl From<rmcp::model::Tool> for SourceTool {
    fn from(tool: rmcp::model::Tool) -> Self {
        let title = tool.title.or_else(|| tool.annotations.as_ref().and_then(|hints| hints.title.clone()));
        let said = tool.description.map(std::borrow::Cow::into_owned).filter(|text| !text.trim().is_empty());
        Self {
            name: tool.name.into_owned(),
            description: said.or(title).unwrap_or_default(),
            input_schema: Value::Object(tool.input_schema.as_ref().clone()),
            output_schema: tool.output_schema.map(|schema| Value::Object(schema.as_ref().clone())),
            hints: hints(tool.annotations.as_ref()),
        }
    }
}

fn hints(annotations: Option<&rmcp::model::ToolAnnotations>) -> ToolHints {
    let mut hints = ToolHints::default();
    if let Some(said) = annotations {
        hints.read_only = said.read_only_hint.unwrap_or(hints.read_only);
        hints.destructive = said.destructive_hint.unwrap_or(hints.destructive);
        hints.idempotent = said.idempotent_hint.unwrap_or(hints.idempotent);
        hints.open_world = said.open_world_hint.unwrap_or(hints.open_world);
    }
    hints
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hints_default_as_the_protocol_has_them() {
        let tool: rmcp::model::Tool = serde_json::from_value(
            json!({ "name": "x", "inputSchema": {}, "annotations": { "readOnlyHint": true } }),
        )
        .unwrap();
        let hints = SourceTool::from(tool).hints;
        let mut expected = ToolHints::default();
        expected.read_only = true;
        assert_eq!(hints, expected);
        assert!(hints.repeatable() && !ToolHints::default().repeatable());
    }
}
