//! What servers say unasked: progress, logs, changed tools, requests; and too much of it, or nonsense.

use std::sync::{Arc, Mutex};

use carrel_contract::{
    CallObserver, CallStatus, CancellationToken, CodeModeSessionDelegate as _, ToolErrorCode, ToolProgress,
};
use carrel_tools::{ConnectOptions, McpDelegate, TraceParent, TraceSource};
use serde_json::{Value, json};

use crate::common::{API_KEY, PATIENCE, call, connect, connect_with, fake, fake_with_state, tool_call};

#[derive(Default)]
struct Heard(Mutex<Vec<(Option<u8>, Option<String>)>>);

impl CallObserver for Heard {
    fn progress(&self, progress: ToolProgress) {
        self.0.lock().unwrap().push((progress.percent, progress.message));
    }

    fn person_awaited(&self, _question: &str) {}

    fn person_answered(&self) {}
}

/// Makes a call and returns what was heard of it on the way.
async fn heard(
    delegate: &McpDelegate,
    tool: &str,
    input: Value,
) -> (Value, Vec<(Option<u8>, Option<String>)>) {
    let heard = Arc::new(Heard::default());
    let call = tool_call(tool, &input).with_status(CallStatus::new(heard.clone()));
    let answer = tokio::time::timeout(PATIENCE, delegate.invoke_tool(call, CancellationToken::new()));
    let answer = answer.await.unwrap().unwrap().to_value();
    let said = std::mem::take(&mut *heard.0.lock().unwrap());
    (answer, said)
}

#[tokio::test]
async fn progress_reaches_its_call_in_order_and_no_other() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let steps = json!({ "steps": [
        { "progress": 1, "total": 4, "message": "one \u{1b}[31mof\u{1b}[0m four" },
        { "progress": 2.5, "total": 4 },
        { "progress": 3, "message": format!("key {API_KEY}") },
        { "progress": 1e300, "total": 1e-300 },
        { "progress": 9, "total": 4, "message": "x".repeat(10_000) },
    ] });
    let ((answer, said), (_, nothing)) =
        tokio::join!(heard(&delegate, "s__progress", steps), heard(&delegate, "s__kinds", json!({})));
    assert_eq!(answer, "done");
    let message = |text: &str| Some(text.to_owned());
    assert_eq!(
        said[..3],
        [(Some(25), message("one of four")), (Some(62), None), (None, message("key ${API_KEY}"))]
    );
    let Some((Some(100), Some(long))) = said.get(4) else { panic!("{said:?}") };
    assert!(said.len() == 5 && long.len() < 1100, "{}", said.len());
    assert_eq!(nothing, []);
}

#[tokio::test]
async fn a_call_carries_its_key_and_its_trace() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let meta = call(&delegate, "s__echo_meta", json!({})).await.unwrap();
    assert_eq!(meta["carrel/idempotencyKey"], "s/c/t");
    assert!(meta.get("traceparent").is_none() && meta["progressToken"].is_number(), "{meta}");
    let trace = TraceParent::parse(TRACE).unwrap().with_state("vendor=1");
    let options = ConnectOptions::default().with_trace(TraceSource::new(move || Some(trace.clone())));
    let delegate = connect_with(json!({ "s": fake("serve") }), options).await;
    let meta = call(&delegate, "s__echo_meta", json!({})).await.unwrap();
    assert_eq!((&meta["traceparent"], &meta["tracestate"]), (&json!(TRACE), &json!("vendor=1")));
}

fn names(delegate: &McpDelegate) -> Vec<String> {
    delegate.catalogue().iter().map(|entry| entry.name.to_string()).collect()
}

#[tokio::test]
async fn tools_that_change_become_another_catalogue_in_which_names_stay() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let mut watch = delegate.upstreams().watch();
    watch.mark_unchanged();
    let before = delegate.catalogue();
    let shelve = |names: Value| call(&delegate, "s__shelve", json!({ "names": names, "times": 1000 }));
    shelve(json!(["shelve", "same.name", "a"])).await.unwrap();
    tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
    // `same.name` alone would now be `s__same_name`, but it has a name.
    assert_eq!(names(&delegate), ["s__a", "s__same_name_2", "s__shelve"]);
    assert_eq!(before.len(), 30);
    shelve(json!(["shelve", "same-name", "same.name"])).await.unwrap();
    tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
    assert_eq!(names(&delegate), ["s__same_name", "s__same_name_2", "s__shelve"]);
    let gone = call(&delegate, "s__a", json!({})).await.unwrap_err();
    assert_eq!(gone.code, ToolErrorCode::Unavailable, "{gone}");
}

#[tokio::test]
async fn tools_are_listed_again_when_a_server_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let delegate = connect(json!({ "s": fake_with_state("serve", &folder.path().join("state")) })).await;
    let mut watch = delegate.upstreams().watch();
    watch.mark_unchanged();
    call(&delegate, "s__shelve", json!({ "names": ["die", "kinds"] })).await.unwrap();
    tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
    assert_eq!(names(&delegate), ["s__die", "s__kinds"]);
    call(&delegate, "s__die", json!({})).await.unwrap_err();
    assert_eq!(delegate.catalogue().len(), 2);
    call(&delegate, "s__kinds", json!({})).await.unwrap();
    assert_eq!(delegate.catalogue().len(), 30);
}

#[tokio::test]
async fn what_a_server_asks_for_is_answered_at_once() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let ask = async |method: &str, params: Value| {
        call(&delegate, "s__ask", json!({ "method": method, "params": params })).await.unwrap()
    };
    assert_eq!(ask("ping", json!({})).await["result"], json!({}));
    assert_eq!(ask("roots/list", json!({})).await["result"], json!({ "roots": [] }));
    let question = json!({ "message": "Name?", "requestedSchema": { "type": "object", "properties": {} } });
    assert_eq!(ask("elicitation/create", question).await["result"], json!({ "action": "decline" }));
    let message = json!({ "role": "user", "content": { "type": "text", "text": "hi" } });
    let sampled = ask("sampling/createMessage", json!({ "messages": [message], "maxTokens": 9 })).await;
    assert_eq!(sampled["error"]["code"], -32601, "{sampled}");
    assert_eq!(ask("no/such/request", json!({})).await["error"]["code"], -32601);
    assert_eq!(ask("roots/list", json!({ "x": [1] })).await["result"], json!({ "roots": [] }));
}

#[tokio::test]
async fn nonsense_fails_its_own_call_at_most() {
    let options = ConnectOptions::default().with_message_bytes(1 << 20);
    let delegate = connect_with(json!({ "s": fake("serve"), "other": fake("serve") }), options).await;
    assert_eq!(call(&delegate, "s__wrong_ids", json!({})).await.unwrap(), "right");
    assert_eq!(call(&delegate, "s__twice", json!({})).await.unwrap(), "first");
    for tool in ["s__wrong_types", "s__not_utf8"] {
        let error = call(&delegate, tool, json!({})).await.unwrap_err();
        assert_eq!(error.code, ToolErrorCode::Internal, "{tool}: {error}");
    }
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
    let error = call(&delegate, "s__endless_line", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::OutcomeUnknown);
    assert!(error.message.contains("sent a message longer than 1048576 bytes"), "{error}");
    assert!(call(&delegate, "other__kinds", json!({})).await.is_ok());
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_flood_costs_no_memory_and_keeps_nobody_from_their_answer() {
    let delegate = connect(json!({ "s": fake("serve"), "other": fake("serve") })).await;
    let before = resident_bytes();
    let (flooded, other) = tokio::join!(
        call(&delegate, "s__flood", json!({ "lines": 300_000 })),
        call(&delegate, "other__kinds", json!({}))
    );
    assert_eq!(flooded.unwrap(), "flooded");
    assert!(other.is_ok());
    assert_eq!(call(&delegate, "s__flood_requests", json!({ "requests": 100_000 })).await.unwrap(), "asked");
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
    let grown = resident_bytes().saturating_sub(before);
    // What a task and an answer for each would have taken is some 400 MB.
    assert!(grown < 64 << 20, "{grown} bytes");
}

/// The memory of this process, 0 where the system does not say.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[tokio::test]
async fn what_a_server_logs_is_logged_without_its_secrets() {
    let log = crate::http::Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let said =
        json!({ "level": "warning", "logger": "db", "data": { "slow": format!("query with {API_KEY}") } });
    call(&delegate, "s__log", said).await.unwrap();
    let text = log.text();
    let line = text.lines().find(|line| line.contains("the server logs")).unwrap();
    assert!(line.contains("WARN") && line.contains("db") && line.contains("query with ${API_KEY}"), "{line}");
    assert!(!text.contains(API_KEY));
}
