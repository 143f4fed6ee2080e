//! The client of the JSON protocol.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::oneshot;

use crate::peer::{Asked, Call, Item, Notice, Opening, Run, Seen, Sink, Started, State, Tool};

/// Every capability that is known.
pub(crate) const CAPABILITIES: [&str; 4] = [
    "session-cell-execution-resource-limits",
    "yield-observation",
    "bounded-output-v1",
    "delegate-capacity-4096",
];

pub(crate) fn hello(capabilities: &[&str]) -> Value {
    json!({"type": "connection/hello", "supportedVersions": [1], "requiredCapabilities": [], "optionalCapabilities": capabilities})
}

pub(crate) fn frame(message: &Value) -> Vec<u8> {
    let text = message.to_string();
    let mut frame = u32::try_from(text.len()).unwrap().to_le_bytes().to_vec();
    frame.extend(text.as_bytes());
    frame
}

pub(crate) async fn read(output: &mut (impl AsyncRead + Unpin)) -> Option<Value> {
    let mut prefix = [0; 4];
    output.read_exact(&mut prefix).await.ok()?;
    let mut payload = vec![0; u32::from_le_bytes(prefix) as usize];
    output.read_exact(&mut payload).await.unwrap();
    Some(serde_json::from_slice(&payload).unwrap())
}

pub(crate) struct Json {
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    last_id: AtomicI64,
    routes: Arc<Mutex<Routes>>,
}

#[derive(Default)]
struct Routes {
    responses: HashMap<i64, oneshot::Sender<Value>>,
    firsts: HashMap<i64, oneshot::Sender<Value>>,
    sinks: HashMap<String, Sink>,
    callbacks: HashMap<i64, String>,
}

impl Json {
    pub(crate) async fn begin(input: ChildStdin, output: ChildStdout) -> Arc<Self> {
        let mut output = BufReader::new(output);
        let routes = Arc::new(Mutex::new(Routes::default()));
        let this =
            Self { input: Some(input).into(), last_id: AtomicI64::new(0), routes: Arc::clone(&routes) };
        this.send(&hello(&CAPABILITIES)).await;
        let ready = read(&mut output).await.unwrap();
        assert_eq!(ready["type"], "connection/ready");
        tokio::spawn(async move {
            while let Some(message) = read(&mut output).await {
                route(&mut routes.lock().unwrap(), &message);
            }
            *routes.lock().unwrap() = Routes::default();
        });
        Arc::new(this)
    }

    async fn send(&self, message: &Value) {
        let mut input = self.input.lock().await;
        if let Some(input) = input.as_mut() {
            // A host that was killed does not take it.
            input.write_all(&frame(message)).await.ok();
        }
    }

    pub(crate) async fn close(&self) {
        self.input.lock().await.take();
    }

    async fn ask(
        &self,
        request: Value,
        has_first: bool,
    ) -> (i64, oneshot::Receiver<Value>, oneshot::Receiver<Value>) {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let ((sender, response), (first_sender, first)) = (oneshot::channel(), oneshot::channel());
        {
            let mut routes = self.routes.lock().unwrap();
            routes.responses.insert(id, sender);
            if has_first {
                routes.firsts.insert(id, first_sender);
            }
        }
        self.send(&json!({"type": "operation/request", "id": id, "request": request})).await;
        (id, response, first)
    }

    pub(crate) async fn open(&self, name: &str, opening: Opening, sink: Sink) -> Result<String, String> {
        self.routes.lock().unwrap().sinks.insert(name.to_owned(), sink);
        let mut request = json!({"method": "session/open", "sessionId": name});
        let limits = [("maxYieldTimeMs", opening.max_yield_ms), ("maxHeapSizeBytes", opening.max_heap_bytes)];
        for (limit, value) in limits {
            if let Some(value) = value {
                request["cellExecutionLimits"][limit] = value.into();
            }
        }
        if opening.truncates {
            request["outputTruncation"] = "server".into();
        }
        let (_, response, _) = self.ask(request, false).await;
        let value = value_of(&response.await.map_err(|_| gone())?)?;
        assert_eq!(value, json!({"type": "session/ready", "sessionId": name}));
        Ok(name.to_owned())
    }

    pub(crate) async fn execute(&self, session: &str, run: Run) -> Result<Started, String> {
        let tools: Vec<_> = run
            .tools
            .iter()
            .map(|(name, tool)| {
                let kind = if tool.is_freeform { "freeform" } else { "function" };
                json!({"name": name, "tool_name": {"name": tool.name, "namespace": tool.namespace}, "description": "", "kind": kind})
            })
            .collect();
        let request = json!({"tool_call_id": run.call_id, "enabled_tools": tools, "source": run.source,
            "yield_time_ms": run.yield_ms, "max_output_tokens": run.tokens});
        let request = json!({"method": "session/execute", "sessionId": session, "request": request});
        let (id, response, first) = self.ask(request, true).await;
        let value = value_of(&response.await.map_err(|_| gone())?)?;
        assert_eq!(value["type"], "execution/started");
        let cell = value["cellId"].as_str().unwrap().to_owned();
        let first = tokio::spawn(async move {
            let value = value_of(&first.await.map_err(|_| gone())?)?;
            Ok(seen(&value, false))
        });
        Ok(Started::new(cell, id.to_string(), first))
    }

    async fn look(&self, request: Value) -> Asked {
        let (id, response, _) = self.ask(request, false).await;
        let answer = tokio::spawn(async move {
            let value = value_of(&response.await.map_err(|_| gone())?)?;
            assert_eq!(value["type"], "wait/completed");
            let outcome = value["outcome"].as_object().unwrap();
            let (kind, value) = outcome.iter().next().unwrap();
            Ok(seen(value, kind == "MissingCell"))
        });
        Asked::new(id.to_string(), answer)
    }

    pub(crate) async fn wait(&self, session: &str, cell: &str, ms: u64, tokens: Option<u32>) -> Asked {
        let request = json!({"cell_id": cell, "yield_time_ms": ms});
        self.look(json!({"method": "session/wait", "sessionId": session, "request": request, "maxOutputTokens": tokens})).await
    }

    pub(crate) async fn terminate(&self, session: &str, cell: &str) -> Asked {
        self.look(json!({"method": "session/terminate", "sessionId": session, "cellId": cell})).await
    }

    pub(crate) async fn shutdown(&self, session: &str) -> Result<(), String> {
        let (_, response, _) =
            self.ask(json!({"method": "session/shutdown", "sessionId": session}), false).await;
        let value = value_of(&response.await.map_err(|_| gone())?)?;
        assert_eq!(value, json!({"type": "session/closed", "sessionId": session}));
        Ok(())
    }

    pub(crate) async fn preempt(&self, request: &str) {
        self.send(&json!({"type": "operation/yield", "id": request.parse::<i64>().unwrap()})).await;
    }

    pub(crate) async fn cancel(&self, request: &str) {
        self.send(&json!({"type": "operation/cancel", "id": request.parse::<i64>().unwrap()})).await;
    }

    pub(crate) async fn answer(&self, call: &str, outcome: Result<Value, &str>) {
        let result = match outcome {
            Ok(value) => json!({"status": "ok", "value": {"type": "tool/result", "result": value}}),
            Err(message) => json!({"status": "error", "message": message}),
        };
        self.respond(call, result).await;
    }

    pub(crate) async fn acknowledge(&self, notice: &str) {
        self.respond(notice, json!({"status": "ok", "value": {"type": "notification/delivered"}})).await;
    }

    async fn respond(&self, id: &str, result: Value) {
        let id: i64 = id.parse().unwrap();
        self.send(&json!({"type": "delegate/response", "id": id, "result": result})).await;
    }
}

fn gone() -> String {
    "the host is gone".to_owned()
}

fn value_of(message: &Value) -> Result<Value, String> {
    let result = &message["result"];
    match result["status"].as_str().unwrap() {
        "ok" => Ok(result["value"].clone()),
        _ => Err(result["message"].as_str().unwrap().to_owned()),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Reads what the host says of a cell, which has these fields and no others.
fn seen(value: &Value, is_missing: bool) -> Seen {
    let (kind, seen) = value.as_object().unwrap().iter().next().unwrap();
    let mut fields: Vec<_> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let state = match kind.as_str() {
        "Yielded" => State::Yielded,
        "Terminated" => State::Terminated,
        _ => {
            assert!(seen["result_buffered_for_ns"].is_u64());
            State::Completed { error: seen["error_text"].as_str().map(str::to_owned) }
        }
    };
    let expected: &[&str] = match state {
        State::Completed { .. } => &[
            "cell_id",
            "code_mode_host_duration_ns",
            "content_items",
            "error_text",
            "result_buffered_for_ns",
        ],
        _ => &["cell_id", "code_mode_host_duration_ns", "content_items"],
    };
    assert_eq!(fields, expected);
    assert!(seen["code_mode_host_duration_ns"].is_u64());
    let item = |item: &Value| match item["type"].as_str().unwrap() {
        "input_text" => Item::Text(text(&item["text"])),
        "input_image" => Item::Image(text(&item["image_url"]), text(&item["detail"])),
        _ => Item::Audio(text(&item["audio_url"])),
    };
    let items = seen["content_items"].as_array().unwrap().iter().map(item).collect();
    Seen { cell: text(&seen["cell_id"]), state, items, is_missing }
}

fn route(routes: &mut Routes, message: &Value) {
    let id = message["id"].as_i64().unwrap_or_default();
    match message["type"].as_str().unwrap() {
        "operation/response" => {
            if let Some(asked) = routes.responses.remove(&id) {
                asked.send(message.clone()).ok();
            }
        }
        "execute/initialResponse" => {
            if let Some(asked) = routes.firsts.remove(&id) {
                asked.send(message.clone()).ok();
            }
        }
        "delegate/request" => {
            let session = text(&message["sessionId"]);
            let sink = &routes.sinks[&session];
            routes.callbacks.insert(id, session);
            let request = &message["request"];
            if request["type"] == "tool/invoke" {
                let call = &request["invocation"];
                let tool = Tool {
                    name: text(&call["tool_name"]["name"]),
                    namespace: call["tool_name"]["namespace"].as_str().map(str::to_owned),
                    is_freeform: call["tool_kind"] == "freeform",
                };
                let call = Call {
                    id: id.to_string(),
                    cell: text(&call["cell_id"]),
                    call_id: text(&call["runtime_tool_call_id"]),
                    tool,
                    input: Some(call["input"].clone()).filter(|input| !input.is_null()),
                };
                sink.calls.send(call).ok();
            } else {
                let (cell, call_id) = (text(&request["cellId"]), text(&request["callId"]));
                let notice = Notice { id: id.to_string(), cell, call_id, text: text(&request["text"]) };
                sink.notices.send(notice).ok();
            }
        }
        "delegate/cancel" => {
            let session = &routes.callbacks[&id];
            routes.sinks[session].cancelled.send(id.to_string()).ok();
        }
        "cell/closed" => {
            let cell = text(&message["cellId"]);
            routes.sinks[message["sessionId"].as_str().unwrap()].closed.send(cell).ok();
        }
        other => panic!("the host says {other}"),
    }
}
