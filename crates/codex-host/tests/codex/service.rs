//! The gRPC service alone: what its messages may hold, and what becomes of streams that are dropped.

use std::process::Stdio;
use std::sync::Arc;

use bytes::{Buf, BufMut};
use carrel_codex::grpc::messages as m;
use prost::{Message, encoding};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::grpc::{Answers, Grpc, seen};
use crate::peer::{Tool, program, run, soon, tool};

/// A host on a port, and a connection to it.
pub(crate) async fn listening() -> (Child, String, Arc<Grpc>) {
    let mut command = Command::new(program());
    let (child, place) = at_a_port(command.args(["--listen", "grpc://127.0.0.1:0"])).await;
    let grpc = Grpc::begin(TcpStream::connect(&place).await.unwrap()).await;
    (child, place, grpc)
}

async fn at_a_port(command: &mut Command) -> (Child, String) {
    command.stdout(Stdio::piped()).stdin(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    soon(BufReader::new(child.stdout.take().unwrap()).read_line(&mut line)).await.unwrap();
    (child, line.trim().strip_prefix("http://").unwrap().to_owned())
}

pub(crate) async fn open(grpc: &Grpc) -> (String, Answers<m::SessionEvent>) {
    let (_, mut events) =
        grpc.stream::<m::SessionEvent>("OpenSession", &m::OpenSessionRequest::default()).await.unwrap();
    let Some(m::SessionEventEvent::Opened(opened)) = soon(events.next()).await.unwrap().unwrap().event else {
        panic!()
    };
    (opened.session_id, events)
}

pub(crate) async fn subscribe(grpc: &Grpc, session: &str, names: &[&str]) -> Answers<m::ToolCall> {
    let tool_names =
        names.iter().map(|name| m::ToolName { name: (*name).to_owned(), namespace: None }).collect();
    let request = m::SubscribeToToolCallsRequest { session_id: session.to_owned(), tool_names };
    grpc.stream("SubscribeToToolCalls", &request).await.unwrap().1
}

pub(crate) async fn closed(events: &mut Answers<m::SessionEvent>) -> m::CellClosed {
    loop {
        let event = soon(events.next()).await.unwrap().unwrap();
        if let Some(m::SessionEventEvent::CellClosed(closed)) = event.event {
            return closed;
        }
    }
}

/// PROTOCOL 226 to 229: what is served over HTTP on a port.
#[tokio::test]
async fn n226_n227_n228_n229_http_on_a_port() {
    let (_child, place, grpc) = listening().await;
    for (request, status) in [
        ("GET /healthz", "HTTP/1.1 200"),
        ("POST /codex.code_mode.v1.CodeModeHost/OpenSession", "HTTP/1.1 505"),
        ("GET /", "HTTP/1.1 505"),
    ] {
        let mut stream = TcpStream::connect(&place).await.unwrap();
        stream
            .write_all(format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with(status), "{request}: {answer}");
    }
    let mut client = h2::client::handshake(TcpStream::connect(&place).await.unwrap()).await.unwrap();
    tokio::spawn(client.1);
    let request = http::Request::get(format!("http://{place}/healthz")).body(()).unwrap();
    let response = soon(client.0.send_request(request, true).unwrap().0).await.unwrap();
    assert_eq!(response.status(), 200);
    let (session, _events) = open(&grpc).await;
    assert_eq!(session.len(), 36);
}

/// PROTOCOL 208, 215: what no request may hold, each with its code; the connection goes on.
#[tokio::test]
async fn n208_n215_bad_requests_have_their_code() {
    let (_child, _place, grpc) = listening().await;
    let (session, _events) = open(&grpc).await;
    let good = || grpc.request(&session, run("1").with(&["f"]));
    let mut requests = Vec::new();
    for (name, code) in [("", 3), ("nope", 3), ("00000000-0000-4000-8000-000000000000", 5)] {
        requests.push((m::ExecuteRequest { session_id: name.to_owned(), ..good() }, code));
    }
    for id in ["", &"x".repeat(257)] {
        requests.push((m::ExecuteRequest { execution_id: id.to_owned(), ..good() }, 3));
    }
    for change in [
        |it: &mut m::ToolDefinition| it.kind = 0,
        |it: &mut m::ToolDefinition| it.kind = 3,
        |it: &mut m::ToolDefinition| it.tool_name = None,
        |it: &mut m::ToolDefinition| it.name = String::new(),
        |it: &mut m::ToolDefinition| it.name = "x".repeat(257),
        |it: &mut m::ToolDefinition| it.tool_name.as_mut().unwrap().name = String::new(),
        |it: &mut m::ToolDefinition| it.tool_name.as_mut().unwrap().name = "x".repeat(257),
        |it: &mut m::ToolDefinition| it.tool_name.as_mut().unwrap().namespace = Some("x".repeat(257)),
        |it: &mut m::ToolDefinition| it.input_schema_json = Some(b"{".to_vec()),
        |it: &mut m::ToolDefinition| it.output_schema_json = Some(vec![0xff]),
    ] {
        let mut request = good();
        change(&mut request.enabled_tools[0]);
        requests.push((request, 3));
    }
    for (request, code) in requests {
        let refused = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.err().unwrap();
        assert!(refused.starts_with(&format!("{code}: ")), "{refused}");
    }
    let opening = m::OpenSessionRequest { output_truncation: 3, ..m::OpenSessionRequest::default() };
    assert!(grpc.stream::<m::SessionEvent>("OpenSession", &opening).await.err().unwrap().starts_with("3: "));
    let filters = vec![m::ToolName { name: "f".to_owned(), namespace: None }; 65];
    let many = m::SubscribeToToolCallsRequest { session_id: session.clone(), tool_names: filters };
    assert!(
        grpc.stream::<m::ToolCall>("SubscribeToToolCalls", &many).await.err().unwrap().starts_with("3: ")
    );
    let metrics = grpc.unary::<m::Empty>("GetProcessMetrics", &m::Empty {}).await.unwrap_err();
    assert_eq!(metrics, "12: process metrics are unsupported");
    assert!(grpc.unary::<m::Empty>("Nothing", &m::Empty {}).await.unwrap_err().starts_with("12: "));
    for (name, code) in [("nobody", 3), ("00000000-0000-4000-8000-000000000000", 5)] {
        let unknown = grpc.try_answer(&session, name, Ok(json!(1))).await.unwrap_err();
        assert!(unknown.starts_with(&format!("{code}: ")), "{unknown}");
    }
    let request = good();
    let (_, mut events) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    while soon(events.next()).await.unwrap().is_some() {}
    let again = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.err().unwrap();
    assert!(again.starts_with("6: "), "{again}");
}

/// PROTOCOL 213, 233: a wait that is cancelled before it comes is refused, and the session goes on.
#[tokio::test]
async fn n213_n233_a_wait_is_cancelled_before_it_comes() {
    let (_child, _place, grpc) = listening().await;
    let (session, _events) = open(&grpc).await;
    let cancel = m::CancelWaitRequest { session_id: session.clone(), wait_id: "w".to_owned() };
    grpc.unary::<m::Empty>("CancelWait", &cancel).await.unwrap();
    let wait = |id: &str| m::WaitRequest {
        session_id: session.clone(),
        cell_id: "1".to_owned(),
        wait_id: id.to_owned(),
        ..m::WaitRequest::default()
    };
    assert!(grpc.unary::<m::WaitResponse>("Wait", &wait("w")).await.unwrap_err().starts_with("1: "));
    let found = grpc.unary::<m::WaitResponse>("Wait", &wait("v")).await.unwrap().1;
    assert!(matches!(found.state, Some(m::WaitResponseState::Missing(_))));
    assert!(grpc.unary::<m::WaitResponse>("Wait", &wait("v")).await.unwrap_err().starts_with("6: "));
}

/// PROTOCOL 211, 212, 222, 223: calls go to whoever takes them, in sequence, and to others when that one is gone.
#[tokio::test]
async fn n211_n212_n222_n223_calls_go_to_who_takes_them() {
    let (_child, _place, grpc) = listening().await;
    let (session, mut events) = open(&grpc).await;
    let mut first = subscribe(&grpc, &session, &["f"]).await;
    let mut others = subscribe(&grpc, &session, &["f", "g"]).await;
    let source = "text(await tools.f(1)); try { await tools.h() } catch (error) { text(error) } text(await tools.g()); text(await tools.f(2))";
    let request = grpc.request(&session, run(source).with(&["f", "g", "h"]));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    let call = soon(first.next()).await.unwrap().unwrap();
    assert_eq!((&call.execution_id, call.tool_call_sequence), (&request.execution_id, 1));
    drop(first);
    grpc.try_answer(&session, &call.invocation_id, Ok(json!("one"))).await.unwrap();
    // That a stream is gone is told on the connection before what is asked after it.
    for (name, sequence) in [("g", 2), ("f", 3)] {
        let call = soon(others.next()).await.unwrap().unwrap();
        assert_eq!((call.tool_name.unwrap().name.as_str(), call.tool_call_sequence), (name, sequence));
        grpc.try_answer(&session, &call.invocation_id, Ok(json!(name))).await.unwrap();
        grpc.try_answer(&session, &call.invocation_id, Ok(json!("late"))).await.unwrap();
    }
    soon(execution.next()).await.unwrap().unwrap();
    let outcome = soon(execution.next()).await.unwrap().unwrap();
    let Some(m::ExecuteEventEvent::Outcome(outcome)) = outcome.event else { panic!("{outcome:?}") };
    let unmatched = "no code-mode tool subscription matches the requested tool";
    assert_eq!(seen(outcome, false).done(), ["one", unmatched, "g", "f"]);
    assert_eq!(closed(&mut events).await.final_tool_call_sequence, 3);
}

/// PROTOCOL 211: tools of which no namespace is said are in one that has a name.
#[tokio::test]
async fn n211_the_default_namespace_has_a_name() {
    let (_child, _place, grpc) = listening().await;
    for (given, asked, matches) in [
        (None, Some("functions"), true),
        (Some("functions"), None, true),
        (Some(""), Some("functions"), true),
        (None, None, true),
        (None, Some("other"), false),
        (Some("other"), None, false),
    ] {
        let (session, _events) = open(&grpc).await;
        let tool_names = vec![m::ToolName { name: "f".to_owned(), namespace: asked.map(str::to_owned) }];
        let request = m::SubscribeToToolCallsRequest { session_id: session.clone(), tool_names };
        let (_, mut calls) = grpc.stream::<m::ToolCall>("SubscribeToToolCalls", &request).await.unwrap();
        let mut cell = run("try { text(await tools.f()) } catch (error) { text(error) }");
        cell.tools.push(("f".to_owned(), Tool { namespace: given.map(str::to_owned), ..tool("f") }));
        let (_, mut execution) =
            grpc.stream::<m::ExecuteEvent>("Execute", &grpc.request(&session, cell)).await.unwrap();
        soon(execution.next()).await.unwrap().unwrap();
        if matches {
            let call = soon(calls.next()).await.unwrap().unwrap();
            assert_eq!(call.tool_name.unwrap().namespace.as_deref(), given, "as it was given");
        } else {
            soon(execution.next()).await.unwrap().unwrap();
        }
    }
}

/// A result that is no JSON is refused, and the call can still be answered.
#[tokio::test]
async fn a_result_that_is_no_json_is_refused() {
    let (_child, _place, grpc) = listening().await;
    let (session, _events) = open(&grpc).await;
    let mut calls = subscribe(&grpc, &session, &[]).await;
    let request = grpc.request(&session, run("text(await tools.f())").with(&["f"]));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    let call = soon(calls.next()).await.unwrap().unwrap();
    assert_eq!((call.tool_call_sequence, call.kind, call.input_json), (1, 1, None));
    let bad = m::CompleteToolCallRequest {
        session_id: session.clone(),
        invocation_id: call.invocation_id.clone(),
        outcome: Some(m::CompleteToolCallRequestOutcome::Succeeded(m::ToolCallSucceeded {
            output_json: b"nope".to_vec(),
        })),
    };
    let refused = grpc.unary::<m::Empty>("CompleteToolCall", &bad).await.unwrap_err();
    assert!(refused.starts_with("3: invalid code-mode tool output JSON: "), "{refused}");
    grpc.try_answer(&session, &call.invocation_id, Ok(json!("good"))).await.unwrap();
    soon(execution.next()).await.unwrap().unwrap();
    let outcome = soon(execution.next()).await.unwrap().unwrap();
    let Some(m::ExecuteEventEvent::Outcome(outcome)) = outcome.event else { panic!("{outcome:?}") };
    assert_eq!(seen(outcome, false).done(), ["good"]);
}

/// PROTOCOL 217, 235: a cell whose stream is dropped before its outcome ends, and what it stored is lost.
#[tokio::test]
async fn n217_n235_a_dropped_execution_ends_its_cell() {
    let (_child, _place, grpc) = listening().await;
    let (session, mut events) = open(&grpc).await;
    let request = grpc.request(&session, run("store('k', 1); while (true) {}"));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    soon(execution.next()).await.unwrap().unwrap();
    drop(execution);
    assert_eq!(closed(&mut events).await.execution_id, request.execution_id);
    let request = grpc.request(&session, run("text(load('k'))"));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    soon(execution.next()).await.unwrap().unwrap();
    let Some(m::ExecuteEventEvent::Outcome(outcome)) = soon(execution.next()).await.unwrap().unwrap().event
    else {
        panic!()
    };
    assert_eq!(seen(outcome, false).done(), ["undefined"]);
}

/// PROTOCOL 244, 219: the stream that opened a session is its lease.
#[tokio::test]
async fn n219_n244_a_dropped_lease_ends_its_session() {
    let (_child, _place, grpc) = listening().await;
    let (session, events) = open(&grpc).await;
    let request = grpc.request(&session, run("while (true) {}"));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    soon(execution.next()).await.unwrap().unwrap();
    drop(events);
    // The cell is ended with its session.
    let outcome = soon(execution.next()).await;
    assert!(outcome.is_ok());
    let gone = grpc.stream::<m::ExecuteEvent>("Execute", &grpc.request(&session, run("1"))).await;
    assert!(gone.err().unwrap().starts_with("5: "));
}

/// A subscription that is dropped without calls that nobody read is only gone.
#[tokio::test]
async fn a_subscription_that_is_dropped_empty_is_only_gone() {
    let (_child, _place, grpc) = listening().await;
    let (session, mut events) = open(&grpc).await;
    drop(subscribe(&grpc, &session, &[]).await);
    let request = grpc.request(&session, run("text('on')"));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    while soon(execution.next()).await.unwrap().is_some() {}
    closed(&mut events).await;
}

/// What is said of a tool at the client's comes back with its call.
#[tokio::test]
async fn calls_come_with_what_the_client_calls_their_tool() {
    let (_child, _place, grpc) = listening().await;
    let (session, _events) = open(&grpc).await;
    let mut calls = subscribe(&grpc, &session, &[]).await;
    let mut cell = run("tools.clock__now('x'); await 1; await new Promise(() => {})");
    cell.tools.push((
        "clock__now".to_owned(),
        Tool { namespace: Some("clock".to_owned()), is_freeform: true, ..tool("now") },
    ));
    let (_, _execution) =
        grpc.stream::<m::ExecuteEvent>("Execute", &grpc.request(&session, cell)).await.unwrap();
    let call = soon(calls.next()).await.unwrap().unwrap();
    assert_eq!(
        call.tool_name.unwrap(),
        m::ToolName { name: "now".to_owned(), namespace: Some("clock".to_owned()) }
    );
    assert_eq!((call.kind, call.input_json.as_deref()), (2, Some(&b"\"x\""[..])));
}

/// A message with a field that this build does not know.
#[derive(Debug, Default)]
struct Newer<M>(M);

impl<M: Message> Message for Newer<M> {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        self.0.encode_raw(buffer);
        encoding::string::encode(2000, &"newer".to_owned(), buffer);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: encoding::WireType,
        buffer: &mut impl Buf,
        context: encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        self.0.merge_field(tag, wire_type, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.encoded_len() + encoding::string::encoded_len(2000, &"newer".to_owned())
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// Over JSON a field that is not known ends the connection (PROTOCOL 107).
#[tokio::test]
async fn what_a_newer_client_says_besides_is_passed_over() {
    let (_child, _place, grpc) = listening().await;
    let opening = Newer(m::OpenSessionRequest::default());
    let (_, mut events) = grpc.stream::<m::SessionEvent>("OpenSession", &opening).await.unwrap();
    let Some(m::SessionEventEvent::Opened(opened)) = soon(events.next()).await.unwrap().unwrap().event else {
        panic!()
    };
    let request = Newer(grpc.request(&opened.session_id, run("text('fine')")));
    let (_, mut execution) = grpc.stream::<m::ExecuteEvent>("Execute", &request).await.unwrap();
    let mut all = Vec::new();
    while let Some(event) = soon(execution.next()).await.unwrap() {
        all.push(format!("{event:?}"));
    }
    assert!(all.iter().any(|event| event.contains("fine")), "{all:?}");
}

/// A port that has no file descriptor left for a client has one again when others leave.
#[tokio::test]
async fn a_port_outlives_a_crowd() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 40; exec \"$0\" --listen grpc://127.0.0.1:0", &program()]);
    let (_child, place) = at_a_port(&mut command).await;
    let mut crowd = Vec::new();
    for _ in 0..80 {
        crowd.push(TcpStream::connect(&place).await.unwrap());
    }
    drop(crowd);
    let mut stream = TcpStream::connect(&place).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
