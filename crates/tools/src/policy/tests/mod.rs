//! What a policy decides, and what a delegate under it lets through.

mod approvals;
mod check;
mod delegate;
mod limits;
mod parsing;
mod rules;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, LookedUp, Notification,
    SessionId, ToolCall, ToolCallId, ToolDescription, ToolError, ToolErrorCode, ToolHints, ToolName,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Approvals, Policy, PolicyDelegate};

fn policy(text: &str) -> Policy {
    Policy::parse(text, "policy.toml").unwrap()
}

fn name(name: &str) -> ToolName {
    ToolName::new(name).unwrap()
}

fn json(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

/// A tool of the server that its name begins with, which says that it changes nothing.
fn reader(tool: &str) -> ToolDescription {
    let mut hints = ToolHints::default();
    (hints.read_only, hints.destructive, hints.open_world) = (true, false, false);
    writer(tool).with_hints(hints)
}

/// A tool of the server that its name begins with, which says nothing of itself.
fn writer(tool: &str) -> ToolDescription {
    ToolDescription::new(name(tool), "").with_server(tool.split("__").next().unwrap())
}

/// What lies beyond the policy: it keeps what reaches it. An input `{"ms": n}` takes that long, `{"give": n}` gives
/// a string of so many bytes, `{"fail": n}` fails with data of so many.
#[derive(Default)]
struct World {
    sent: Mutex<Vec<(String, Option<String>)>>,
    stopped: Mutex<Vec<String>>,
    at_once: Mutex<(usize, usize)>,
}

impl World {
    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(tool, _)| tool.clone()).collect()
    }

    fn inputs(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(_, input)| input.clone().unwrap_or_default()).collect()
    }
}

impl CodeModeSessionDelegate for World {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        Box::pin(async move {
            let input = call.input.map(|input| input.as_str().to_owned());
            self.sent.lock().unwrap().push((call.tool.to_string(), input.clone()));
            let input: serde_json::Value = serde_json::from_str(input.as_deref().unwrap_or("{}")).unwrap();
            let number = |key: &str| input.get(key).and_then(serde_json::Value::as_u64);
            {
                let mut at_once = self.at_once.lock().unwrap();
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            if let Some(ms) = number("person_ms") {
                let _awaited = call.status.await_person("the server asks");
                sleep(Duration::from_millis(ms)).await;
            }
            tokio::select! {
                () = sleep(Duration::from_millis(number("ms").unwrap_or(0))) => {}
                () = cancel.cancelled() => self.stopped.lock().unwrap().push(call.tool.to_string()),
            }
            self.at_once.lock().unwrap().0 -= 1;
            let text = |n: u64| json(&format!("\"{}\"", "x".repeat(n as usize)));
            match (number("give"), number("fail")) {
                (_, Some(n)) => Err(ToolError::new(ToolErrorCode::OutcomeUnknown, "f").with_data(text(n))),
                (Some(n), None) => Ok(text(n)),
                (None, None) => Ok(json("\"done\"")),
            }
        })
    }

    fn lookup_outcome(
        &self,
        call: ToolCall,
        _: CancellationToken,
    ) -> CodeModeFuture<'_, LookedUp, ToolError> {
        // What it was given, it remembers as its answer.
        Box::pin(async move { Ok(call.input.map_or(LookedUp::NeverHappened, LookedUp::Answered)) })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _: &CellId) {}
}

/// A session under a policy, with tools `orders__list` (reads), `orders__update` and `mail__send`.
struct Desk {
    world: Arc<World>,
    approvals: Approvals,
    delegate: Arc<PolicyDelegate>,
    calls: Mutex<u64>,
}

impl Desk {
    fn new(text: &str) -> Self {
        Self::with(text, Approvals::default())
    }

    fn with(text: &str, approvals: Approvals) -> Self {
        let world = Arc::new(World::default());
        let tools = [reader("orders__list"), writer("orders__update"), writer("mail__send")];
        let inner: Arc<dyn CodeModeSessionDelegate> = world.clone();
        let delegate = Arc::new(PolicyDelegate::new(inner, policy(text), &tools, approvals.clone()));
        Self { world, approvals, delegate, calls: Mutex::default() }
    }

    fn call(&self, cell: &str, tool: &str, input: Option<&str>) -> ToolCall {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        ToolCall::new(
            SessionId::new("s").unwrap(),
            CellId::new(cell).unwrap(),
            ToolCallId::new(&format!("call-{calls}")).unwrap(),
            name(tool),
            input.map(json),
        )
    }

    /// Makes a call and waits for its end.
    async fn run(&self, cell: &str, tool: &str, input: &str) -> Result<JsonText, ToolError> {
        self.delegate.invoke_tool(self.call(cell, tool, Some(input)), CancellationToken::new()).await
    }

    /// Begins a call and leaves it under way.
    fn begin(&self, cell: &str, tool: &str, input: &str) -> Begun {
        self.begin_call(self.call(cell, tool, Some(input)))
    }

    fn begin_call(&self, call: ToolCall) -> Begun {
        let (delegate, cancel) = (Arc::clone(&self.delegate), CancellationToken::new());
        let (token, mut task) = (cancel.clone(), JoinSet::new());
        task.spawn(async move { delegate.invoke_tool(call, token).await });
        Begun { cancel, task }
    }

    /// Waits until so many requests are pending, and returns their ids.
    async fn pending(&self, count: usize) -> Vec<super::ApprovalId> {
        // Looked at from beside: the test decides whether anybody attends.
        let mut changes = self.approvals.changes();
        changes.wait_for(|_| self.approvals.pending().len() == count).await.unwrap();
        self.approvals.pending().iter().map(|request| request.id).collect()
    }
}

struct Begun {
    cancel: CancellationToken,
    task: JoinSet<Result<JsonText, ToolError>>,
}

impl Begun {
    async fn end(mut self) -> Result<JsonText, ToolError> {
        self.task.join_next().await.unwrap().unwrap()
    }
}

/// Fails the test unless the call was refused with these words.
#[track_caller]
fn refused(result: Result<JsonText, ToolError>, words: &[&str]) -> ToolError {
    let error = result.expect_err("the call is refused");
    assert_eq!(error.code, ToolErrorCode::Denied, "{error}");
    for word in words {
        assert!(error.message.contains(word), "no {word:?} in: {error}");
    }
    error
}
