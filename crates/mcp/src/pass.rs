//! Tools that are passed through: listed behind ours with their own schemas and annotations, for clients that are to call
//! them by themselves.
//!
//! Such a call is a cell of one line in the connection's session. So all that holds for cells holds for it: policies and
//! the person they ask, limits, the journal, and that it outlives the call.

use carrel_contract::ToolDescription;
use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use crate::arguments;
use crate::ask::Answers;
use crate::client::Patience;
use crate::connection::Connection;
use crate::refusal::Refusal;
use crate::tool;

/// Says under which name a tool is passed through, if it is. A name that another tool has, one of ours included, is given
/// to the first alone.
pub type PassThrough = Box<dyn Fn(&ToolDescription) -> Option<String> + Send + Sync>;

/// A tool that is passed through.
pub(crate) struct Passed {
    /// What clients call it.
    name: String,
    tool: ToolDescription,
}

/// Returns the tools that are passed through, by `pass`, of these.
pub(crate) fn passed(tools: &[ToolDescription], pass: &PassThrough) -> Vec<Passed> {
    let mut passed: Vec<Passed> = Vec::new();
    for tool in tools {
        let Some(name) = pass(tool) else { continue };
        let is_ours = [tool::EXEC, tool::WAIT, tool::SEARCH].contains(&name.as_str());
        if !is_ours && passed.iter().all(|known| known.name != name) {
            passed.push(Passed { name, tool: tool.clone() });
        }
    }
    passed
}

impl Passed {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the tool as it is listed.
    pub(crate) fn listed(&self) -> Tool {
        let object = |value: Value| match value {
            Value::Object(object) => Some(object),
            _ => None,
        };
        let input = self.tool.input_schema.as_ref().and_then(|schema| object(schema.to_value()));
        let input = input.unwrap_or_else(|| JsonObject::from_iter([("type".to_owned(), json!("object"))]));
        let hints = self.tool.hints;
        let annotations = ToolAnnotations::new()
            .read_only(hints.read_only)
            .destructive(hints.destructive)
            .idempotent(hints.idempotent)
            .open_world(hints.open_world);
        let listed = Tool::new(self.name.clone(), self.tool.description.clone(), input);
        let listed = listed.with_annotations(annotations);
        match self.promised() {
            Some(schema) => listed.with_raw_output_schema(schema.into()),
            None => listed,
        }
    }

    /// Returns the schema of what it returns, where its owner says that and MCP has a word for it.
    fn promised(&self) -> Option<JsonObject> {
        let output = self.tool.output.as_ref().filter(|output| !output.observed)?;
        match output.schema.to_value() {
            Value::Object(schema) if schema.get("type") == Some(&json!("object")) => Some(schema),
            _ => None,
        }
    }

    /// Calls it.
    pub(crate) async fn call(
        &self,
        connection: &Connection,
        input: Option<JsonObject>,
        answers: Option<Answers>,
        context: &RequestContext<RoleServer>,
        patience: Patience,
    ) -> Result<CallToolResponse, Refusal> {
        let exec = json!({ "code": self.cell(input.unwrap_or_default()), "yield_time_ms": u64::MAX });
        let exec = arguments::read(exec.as_object().cloned())?;
        Ok(match tool::exec(connection, exec, answers, context, patience).await? {
            CallToolResponse::Complete(result) => self.result(result).into(),
            other => other,
        })
    }

    /// Writes the cell. The input is text in it: an object literal would take `__proto__` for more than a name.
    fn cell(&self, input: JsonObject) -> String {
        let (name, input) = (json!(self.tool.name.as_str()), json!(Value::Object(input).to_string()));
        format!("export default await tools[{name}](JSON.parse({input}))")
    }

    /// Turns what was told of the cell into what the tool would have answered.
    fn result(&self, told: CallToolResult) -> CallToolResult {
        let cell = told.structured_content.as_ref();
        let field = |name: &str| cell.and_then(|cell| cell.get(name));
        match field("status").and_then(Value::as_str) {
            Some("completed") => {
                let value = field("result").cloned().unwrap_or(Value::Null);
                let promised = self.promised().is_some().then(|| value.clone());
                let mut result = CallToolResult::success(blocks(value));
                result.structured_content = promised;
                result
            }
            Some("failed") => {
                let message = cell.and_then(|cell| cell.pointer("/error/message")).and_then(Value::as_str);
                CallToolResult::error(vec![ContentBlock::text(message.unwrap_or("the call failed"))])
            }
            // It runs on, or was ended: what is told of it says how to go on, and is not what the tool answered.
            _ => CallToolResult::error(told.content),
        }
    }
}

/// Returns what a cell gets of a tool as blocks again.
fn blocks(value: Value) -> Vec<ContentBlock> {
    match value {
        Value::String(text) => vec![ContentBlock::text(text)],
        Value::Array(items) if !items.is_empty() => {
            let blocks: Result<Vec<ContentBlock>, _> =
                items.iter().cloned().map(serde_json::from_value).collect();
            blocks.unwrap_or_else(|_| vec![ContentBlock::text(Value::Array(items).to_string())])
        }
        value => vec![ContentBlock::text(value.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use carrel_contract::{JsonText, ToolName, ToolOutput};

    use super::*;

    fn described(name: &str) -> ToolDescription {
        ToolDescription::new(ToolName::new(name).unwrap(), "does it")
    }

    #[test]
    fn a_name_is_one_tools_and_never_one_of_ours() {
        let tools = ["a__x", "b__x", "c__exec", "d__y"].map(described);
        let last = |tool: &ToolDescription| tool.name.as_str().split("__").nth(1).map(str::to_owned);
        let passed = passed(&tools, &(Box::new(last) as PassThrough));
        let seen: Vec<_> = passed.iter().map(|passed| (passed.name(), passed.tool.name.as_str())).collect();
        assert_eq!(seen, [("x", "a__x"), ("y", "d__y")]);
    }

    #[test]
    fn the_input_is_no_code() {
        let passed = Passed { name: "x".to_owned(), tool: described("a__x") };
        let input = json!({ "__proto__": "`${1}`", "q": "\"); tools.b(\"\u{2028}" });
        let cell = passed.cell(input.as_object().cloned().unwrap());
        let inner = cell.strip_prefix("export default await tools[\"a__x\"](JSON.parse(").unwrap();
        let text: String = serde_json::from_str(inner.strip_suffix("))").unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), input);
    }

    #[test]
    fn what_a_tool_answered_is_what_the_client_gets() {
        let plain = Passed { name: "x".to_owned(), tool: described("a__x") };
        let output =
            ToolOutput { schema: JsonText::from_value(&json!({ "type": "object" })), observed: false };
        let typed = Passed { name: "x".to_owned(), tool: described("a__x").with_output(output) };
        let told = |cell: Value| {
            let mut told = CallToolResult::success(vec![ContentBlock::text("[session …]")]);
            told.structured_content = Some(cell);
            told
        };
        let image = json!({ "type": "image", "data": "AAAA", "mimeType": "image/png" });
        for (value, content) in [
            (json!("words"), json!([{ "type": "text", "text": "words" }])),
            (json!({ "a": 1 }), json!([{ "type": "text", "text": "{\"a\":1}" }])),
            (json!([image]), json!([image])),
            (json!([1, 2]), json!([{ "type": "text", "text": "[1,2]" }])),
            (json!([]), json!([{ "type": "text", "text": "[]" }])),
        ] {
            let result = plain.result(told(json!({ "status": "completed", "result": value })));
            assert_eq!(serde_json::to_value(&result.content).unwrap(), content);
            assert_eq!((result.is_error, result.structured_content), (Some(false), None));
        }
        let result = typed.result(told(json!({ "status": "completed", "result": { "a": 1 } })));
        assert_eq!(result.structured_content, Some(json!({ "a": 1 })));
        let failed = json!({ "status": "failed", "error": { "name": "ToolError", "message": "no" } });
        for cell in [failed, json!({ "status": "running" })] {
            assert_eq!(typed.result(told(cell)).is_error, Some(true));
        }
    }
}
