//! What an upstream answered, as the cell gets it.
//!
//! A failed call rejects. Otherwise structured content comes first, then the one text there is, parsed when it
//! is JSON; everything else comes as the list of its blocks, so that nothing a tool sent is lost.

use carrel_contract::{JsonText, ToolError, ToolErrorCode};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

use crate::bound::bounded;

/// The longest message of a failed call that is kept, in bytes.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// Turns a result into what the call resolves to or rejects with.
pub(crate) fn answer(result: CallToolResult, max_bytes: usize) -> Result<JsonText, ToolError> {
    let failed = result.is_error == Some(true);
    if failed {
        return Err(failure(&result, max_bytes));
    }
    let CallToolResult { content, structured_content, .. } = result;
    let json = match (structured_content, content.as_slice()) {
        (Some(value), _) => JsonText::from_value(&value),
        (None, [ContentBlock::Text(only)]) => match JsonText::parse(&only.text) {
            Ok(json) => json,
            Err(_) => JsonText::from_value(&Value::from(only.text.as_str())),
        },
        (None, blocks) => {
            let mut list = serde_json::to_value(blocks).map_err(|error| {
                ToolError::new(ToolErrorCode::Internal, format!("the tool's answer is not JSON: {error}"))
            })?;
            list.as_array_mut().into_iter().flatten().for_each(restore_priority);
            JsonText::from_value(&list)
        }
    };
    if json.as_str().len() > max_bytes {
        return Err(ToolError::new(
            ToolErrorCode::TooLarge,
            format!(
                "the tool's answer is {} bytes; accepted are up to {max_bytes}. Ask for less at a time",
                json.as_str().len()
            ),
        ));
    }
    Ok(json)
}

/// Undoes what a detour through `f32` does to a block's priority: 0.7 would come out as 0.699999988079071.
fn restore_priority(block: &mut Value) {
    let Some(priority) = block.pointer_mut("/annotations/priority") else { return };
    // A priority lies between 0 and 1. The shortest text of the `f32` is what the server wrote.
    #[expect(clippy::cast_possible_truncation, reason = "the value comes from an f32")]
    let shortest = priority.as_f64().map(|wide| (wide as f32).to_string());
    if let Some(restored) = shortest.and_then(|text| serde_json::from_str(&text).ok()) {
        *priority = restored;
    }
}

fn failure(result: &CallToolResult, max_bytes: usize) -> ToolError {
    let mut message = String::new();
    for text in result.content.iter().filter_map(ContentBlock::as_text) {
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(&text.text);
        if message.len() > MAX_MESSAGE_BYTES {
            break;
        }
    }
    if message.trim().is_empty() {
        message = "the tool reported a failure and gave no reason".to_owned();
    }
    let error = ToolError::new(ToolErrorCode::Failed, bounded(&message, MAX_MESSAGE_BYTES));
    match result.structured_content.as_ref().map(JsonText::from_value) {
        Some(data) if data.as_str().len() <= max_bytes => error.with_data(data),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(value: Value) -> Result<String, ToolError> {
        answer(serde_json::from_value(value).unwrap(), 1000).map(|json| json.as_str().to_owned())
    }

    fn text(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn structured_content_comes_first() {
        let with = json!({ "content": [text("ignored")], "structuredContent": { "b": 1, "a": [2] } });
        assert_eq!(result(with).unwrap(), r#"{"b":1,"a":[2]}"#);
        assert_eq!(result(json!({ "content": [text("x")], "structuredContent": null })).unwrap(), "null");
    }

    #[test]
    fn one_text_is_parsed_when_it_is_json() {
        for (given, expected) in [
            (
                r#" {"n": 12345678901234567890123, "z": 1, "a": 2} "#,
                r#"{"n": 12345678901234567890123, "z": 1, "a": 2}"#,
            ),
            ("42", "42"),
            ("null", "null"),
            ("\"quoted\"", "\"quoted\""),
            ("plain \"text\"", r#""plain \"text\"""#),
            ("{not json}", "\"{not json}\""),
            ("", "\"\""),
            ("NaN", "\"NaN\""),
        ] {
            assert_eq!(result(json!({ "content": [text(given)] })).unwrap(), expected);
        }
    }

    #[test]
    fn anything_else_is_the_list_of_its_blocks() {
        let image = json!({ "type": "image", "data": "AAAA", "mimeType": "image/png",
                            "annotations": { "audience": ["user"], "priority": 0.7 } });
        let audio = json!({ "type": "audio", "data": "AAAA", "mimeType": "audio/wav" });
        let link = json!({ "type": "resource_link", "uri": "file:///a", "name": "a" });
        let resource = json!({ "type": "resource", "resource": { "uri": "file:///a", "text": "t" } });
        for blocks in [
            json!([text("a"), text("b")]),
            json!([image]),
            json!([text("a"), image, audio, link, resource]),
            json!([]),
        ] {
            let got: Value = serde_json::from_str(&result(json!({ "content": blocks })).unwrap()).unwrap();
            assert_eq!(got, blocks);
        }
    }

    #[test]
    fn a_failure_carries_text_and_data() {
        let error = result(json!({
            "isError": true, "content": [text("no such order"), text("try o-1")], "structuredContent": { "near": ["o-1"] } }))
        .unwrap_err();
        assert_eq!((error.code, error.retryable), (ToolErrorCode::Failed, false));
        assert_eq!(error.message, "no such order\ntry o-1");
        assert_eq!(error.data.unwrap().as_str(), r#"{"near":["o-1"]}"#);
    }

    #[test]
    fn a_failure_without_words_says_so() {
        let error = result(json!({ "isError": true, "content": [] })).unwrap_err();
        assert_eq!(error.message, "the tool reported a failure and gave no reason");
    }

    #[test]
    fn what_is_too_large_is_refused_or_cut() {
        let error = result(json!({ "content": [text(&"x".repeat(2000))] })).unwrap_err();
        assert_eq!(error.code, ToolErrorCode::TooLarge);
        assert!(error.message.contains("2002 bytes") && error.message.contains("1000"), "{error}");
        let error = result(json!({ "isError": true, "content": [text(&"x".repeat(1 << 20))] })).unwrap_err();
        assert!(error.message.len() < MAX_MESSAGE_BYTES + 100);
    }
}
