//! What a closure's tool tells of itself, takes, gives, and how it fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use carrel_contract::{CallObserver, CellId, CodeModeSessionDelegate as _, SessionId, ToolCallId, ToolName};
use serde::{Deserialize, Serialize};

use super::*;
use crate::sink::NoSink;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// The first summand.
    a: i64,
    #[serde(default)]
    b: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

fn add() -> ClosureTool {
    ClosureTool::new("add", "Adds.", |input: Add, _| async move {
        Ok(Sum { sum: input.a + input.b.unwrap_or_default() })
    })
}

fn call(tool: &str, input: &Value) -> ToolCall {
    ToolCall::new(
        SessionId::new("s").unwrap(),
        CellId::new("c").unwrap(),
        ToolCallId::new("t").unwrap(),
        ToolName::new(tool).unwrap(),
        Some(JsonText::from_value(input)),
    )
}

async fn answer(tools: Toolbox, tool: &str, input: Value) -> Result<Value, ToolError> {
    let delegate = tools.delegate(NoSink).unwrap();
    delegate.invoke_tool(call(tool, &input), CancellationToken::new()).await.map(|json| json.to_value())
}

#[tokio::test]
async fn is_described_by_its_types_and_answers() {
    let delegate = Toolbox::new().with(add().read_only()).delegate(NoSink).unwrap();
    let described = delegate.catalogue().descriptions().remove(0);
    assert_eq!(described.name.as_str(), "add");
    assert!(described.hints.read_only && described.hints.idempotent && !described.hints.destructive);
    assert_eq!(
        described.input_schema.unwrap().to_value(),
        json!({ "type": "object", "additionalProperties": false, "required": ["a"], "properties": {
            "a": { "type": "integer", "format": "int64", "description": "The first summand." },
            "b": { "type": ["integer", "null"], "format": "int64", "default": null } } })
    );
    assert_eq!(described.output.unwrap().schema.to_value()["properties"]["sum"]["type"], "integer");
    assert_eq!(
        answer(Toolbox::new().with(add()), "add", json!({ "a": 1, "b": 2 })).await.unwrap(),
        json!({ "sum": 3 })
    );
}

#[tokio::test]
async fn an_input_that_does_not_fit_never_reaches_the_closure() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(try_from = "String")]
    #[expect(dead_code, reason = "only read")]
    struct Even(String);
    impl TryFrom<String> for Even {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.len().is_multiple_of(2) { Ok(Self(text)) } else { Err("has an odd length".to_owned()) }
        }
    }
    #[derive(Deserialize, JsonSchema)]
    struct Word {
        #[expect(dead_code, reason = "only read")]
        word: Even,
    }
    let tools = || Toolbox::new().with(add()).tool("spell", "", |_: Word, _| async { Ok(()) });
    for (tool, input, says) in [
        ("add", json!({ "a": "1" }), "input.a"),
        ("add", json!({ "a": 1, "c": 1 }), "unknown property \"c\""),
        ("spell", json!({ "word": "odd" }), "has an odd length"),
    ] {
        let error = answer(tools(), tool, input).await.unwrap_err();
        assert_eq!(error.code, ToolErrorCode::InvalidInput);
        assert!(error.message.contains(says), "{error}");
    }
    assert_eq!(answer(tools(), "spell", json!({ "word": "even" })).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn nothing_is_an_input_and_any_value_an_answer() {
    let tools = || {
        Toolbox::named("my-box")
            .tool("none", "", |(): (), _| async { Ok(42) })
            .tool("any", "", |input: BTreeMap<String, Value>, _| async move { Ok(input) })
            .tool("keys", "", |_: Value, _| async move { Ok(BTreeMap::from([((1, 2), 3)])) })
    };
    assert_eq!(answer(tools(), "my_box__none", json!({})).await.unwrap(), json!(42));
    assert_eq!(answer(tools(), "my_box__any", json!({ "x": [1] })).await.unwrap(), json!({ "x": [1] }));
    let error = answer(tools(), "my_box__none", json!({ "x": 1 })).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::InvalidInput);
    let error = answer(tools(), "my_box__keys", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Internal);
    let error = answer(tools(), "my_box__non", json!({})).await.unwrap_err();
    assert!(error.message.contains("my_box__none"), "{error}");
}

#[test]
fn what_cannot_be_a_tool_is_named() {
    for (tools, problem) in [
        (Toolbox::new().with(add()).with(add()), "the name of another"),
        (Toolbox::new().tool("", "", |(): (), _| async { Ok(()) }), "no name"),
        (Toolbox::new().tool("n", "", |_: u8, _| async { Ok(()) }), "accepted are structs"),
        (Toolbox::new().tool("n", "", |_: Vec<u8>, _| async { Ok(()) }), "accepted are structs"),
    ] {
        let error = tools.source().err().unwrap();
        assert!(error.problem.contains(problem), "{error}");
    }
}

#[tokio::test]
async fn a_failure_a_panic_and_a_large_answer_are_the_calls_own() {
    let tools = Toolbox::new()
        .tool("fails", "", |(): (), _| async {
            Err::<(), _>(ToolError::new(ToolErrorCode::Failed, "no").with_retryable(true))
        })
        .tool("panics", "", |(): (), _| async {
            if true {
                panic!("at {}", "noon");
            }
            Ok(())
        })
        .tool("large", "", |(): (), _| async { Ok("x".repeat(100)) })
        .with(add());
    let delegate = tools.delegate(NoSink).unwrap().with_value_bytes(50);
    let ask = async |tool: &str, input: Value| {
        delegate.invoke_tool(call(tool, &input), CancellationToken::new()).await
    };
    assert!(ask("fails", json!({})).await.unwrap_err().retryable);
    let error = ask("panics", json!({})).await.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (ToolErrorCode::Internal, "the tool `panics` panicked: at noon")
    );
    assert_eq!(ask("large", json!({})).await.unwrap_err().code, ToolErrorCode::TooLarge);
    assert_eq!(ask("add", json!({ "a": 1 })).await.unwrap().as_str(), r#"{"sum":1}"#);
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_or_left_to_itself() {
    let tools =
        Toolbox::new().tool("waits", "", |(): (), _| std::future::pending::<Result<(), ToolError>>()).with(
            ClosureTool::new("cleans_up", "", |(): (), context: ToolContext| async move {
                context.cancel.cancelled().await;
                Ok("clean")
            })
            .cancels_itself(),
        );
    let delegate = tools.delegate(NoSink).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let waits = delegate.invoke_tool(call("waits", &json!({})), cancel.clone()).await;
    assert_eq!(waits.unwrap_err().code, ToolErrorCode::Cancelled);
    let cleans = delegate.invoke_tool(call("cleans_up", &json!({})), cancel).await;
    assert_eq!(cleans.unwrap().as_str(), "\"clean\"");
}

#[tokio::test]
async fn a_closure_tells_how_it_gets_on() {
    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);
    impl CallObserver for Heard {
        fn progress(&self, progress: ToolProgress) {
            self.0.lock().unwrap().push(format!("{:?} {:?}", progress.percent, progress.message));
        }
        fn person_awaited(&self, question: &str) {
            self.0.lock().unwrap().push(question.to_owned());
        }
        fn person_answered(&self) {
            self.0.lock().unwrap().push("answered".to_owned());
        }
    }
    let heard = Arc::new(Heard::default());
    let tools = Toolbox::new().tool("asks", "", |(): (), context: ToolContext| async move {
        context.progress(Some(50), "half");
        drop(context.status().await_person("sure?"));
        Ok(context.call.idempotency_key())
    });
    let delegate = tools.delegate(NoSink).unwrap();
    let call = call("asks", &json!({})).with_status(CallStatus::new(heard.clone()));
    let answer = delegate.invoke_tool(call, CancellationToken::new()).await.unwrap();
    assert_eq!(answer.as_str(), "\"s/c/t\"");
    assert_eq!(*heard.0.lock().unwrap(), ["Some(50) Some(\"half\")", "sure?", "answered"]);
}
