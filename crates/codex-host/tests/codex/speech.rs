//! The JSON protocol to the letter: how a connection begins, and what ends it.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdout, Command};

use crate::json::{CAPABILITIES, frame, hello, read};
use crate::peer::{program, soon};

/// A host that has been sent these messages.
async fn told(messages: &[Value]) -> (Child, ChildStdout) {
    let mut command = Command::new(program());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for message in messages {
        input.write_all(&frame(message)).await.unwrap();
    }
    child.stdin = Some(input);
    let output = child.stdout.take().unwrap();
    (child, output)
}

/// Returns what a host says that ends by itself, its exit code, and what it writes to stderr.
async fn ended(messages: &[Value]) -> (Vec<Value>, i32, String) {
    let (mut child, mut output) = told(messages).await;
    let mut said = Vec::new();
    while let Some(message) = soon(read(&mut output)).await {
        said.push(message);
    }
    let code = soon(child.wait()).await.unwrap().code().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    (said, code, errors)
}

/// PROTOCOL 99, 113, 114: the words of the handshake.
#[tokio::test]
async fn n099_n113_n114_handshakes_are_answered_to_the_letter() {
    let with = |field: &str, value: Value| {
        let mut hello = hello(&[]);
        hello[field] = value;
        hello
    };
    for (first, reason) in [
        (
            with("supportedVersions", json!([2])),
            json!({"type": "noCompatibleVersion", "supportedVersions": [1]}),
        ),
        (
            with("requiredCapabilities", json!(["zzz"])),
            json!({"type": "missingRequiredCapability", "capability": "zzz"}),
        ),
        (
            json!({"type": "operation/cancel", "id": 1}),
            json!({"type": "invalidHello", "message": "first message must be connection/hello"}),
        ),
    ] {
        let (said, code, _) = ended(&[first]).await;
        assert_eq!((said, code), (vec![json!({"type": "connection/rejected", "reason": reason})], 0));
    }
    for (first, capabilities) in [
        (with("supportedVersions", json!([2, 1])), json!([])),
        (with("optionalCapabilities", json!(["zzz", "yield-observation"])), json!(["yield-observation"])),
        (
            with("requiredCapabilities", json!(["yield-observation", "bounded-output-v1"])),
            json!(["bounded-output-v1", "yield-observation"]),
        ),
        (
            hello(&CAPABILITIES),
            json!([
                "bounded-output-v1",
                "delegate-capacity-4096",
                "session-cell-execution-resource-limits",
                "yield-observation"
            ]),
        ),
    ] {
        let (_child, mut output) = told(&[first]).await;
        let ready = soon(read(&mut output)).await.unwrap();
        assert_eq!(
            ready,
            json!({"type": "connection/ready", "selectedVersion": 1, "capabilities": capabilities})
        );
    }
}

/// PROTOCOL 106: what no hello may say.
#[tokio::test]
async fn n106_impossible_hellos_end_the_connection() {
    for (field, value, why) in [
        ("supportedVersions", json!([]), "at least one protocol version is required"),
        ("supportedVersions", json!([0]), "nonzero"),
        ("supportedVersions", json!([1, 1]), "duplicate protocol version 1"),
        ("optionalCapabilities", json!(["a", "a"]), "duplicate capability `a`"),
        ("optionalCapabilities", json!([" "]), "identifier must not be empty"),
        ("x", json!(1), "unknown field `x`"),
        ("requiredCapabilities", json!(null), "null"),
    ] {
        let mut first = hello(&[]);
        first[field] = value;
        let (said, code, errors) = ended(&[first]).await;
        assert_eq!((said, code), (vec![], 1));
        assert!(
            errors.starts_with("Error: failed to read code-mode client hello") && errors.contains(why),
            "{errors}"
        );
    }
    let mut both = hello(&["a"]);
    both["requiredCapabilities"] = json!(["a"]);
    assert!(ended(&[both]).await.2.contains("cannot be both required and optional"));
}

fn request(id: i64, request: &Value) -> Value {
    json!({"type": "operation/request", "id": id, "request": request})
}

fn open(id: i64, session: &str) -> Value {
    request(id, &json!({"method": "session/open", "sessionId": session}))
}

/// PROTOCOL 102, 105, 107, 109: what ends a connection later.
#[tokio::test]
async fn n102_n105_n107_n109_what_nobody_may_say_ends_the_connection() {
    let execute = |field: &str, value: Value| {
        let mut cell = json!({"tool_call_id": "c", "enabled_tools": [], "source": "1", "yield_time_ms": 1, "max_output_tokens": null});
        cell[field] = value;
        request(2, &json!({"method": "session/execute", "sessionId": "s", "request": cell}))
    };
    let tool = json!({"name": "f", "tool_name": {"name": "f", "namespace": null, "x": 1}, "description": "", "kind": "function"});
    for (message, why) in [
        (hello(&[]), "received a second code-mode client hello"),
        (open(1, "t"), "duplicate code-mode request ID RequestId(1)"),
        (execute("x", json!(1)), "unknown field `x`"),
        (execute("max_output_tokens", json!(2_147_483_648_i64)), "expected i32"),
        (execute("yield_time_ms", json!(-1)), "expected u64"),
        (execute("enabled_tools", json!([tool])), "unknown field `x`"),
        (open(2, " "), "identifier must not be empty"),
        (request(2, &json!({"method": "session/foo", "sessionId": "s"})), "unknown variant `session/foo`"),
        (
            request(
                2,
                &json!({"method": "session/wait", "sessionId": "s", "request": {"cell_id": "1", "yield_time_ms": 1}, "maxOutputTokens": -1}),
            ),
            "expected usize",
        ),
        (json!({"type": "foo"}), "unknown variant `foo`"),
        (
            json!({"type": "delegate/response", "id": 1, "result": {"status": "ok", "value": {"type": "tool/result"}}}),
            "missing field `result`",
        ),
    ] {
        let (said, code, errors) = ended(&[hello(&[]), open(1, "s"), message.clone()]).await;
        assert_eq!((said.len() <= 2, code), (true, 1), "{message}: {said:?}");
        assert!(errors.contains(why), "{message}: {errors}");
    }
}

/// PROTOCOL 100, 103, 104, 108: whole conversations, message by message.
#[tokio::test]
async fn n100_n103_n104_n108_a_conversation_to_the_letter() {
    let (mut child, mut output) = told(&[
        hello(&CAPABILITIES),
        request(-5, &json!({"method": "session/open", "sessionId": "s", "cellExecutionLimits": {"maxYieldTimeMs": 5000, "maxHeapSizeBytes": null}, "outputTruncation": "server"})),
        request(0, &json!({"method": "session/open", "sessionId": "t", "cellExecutionLimits": null, "outputTruncation": null})),
        open(1, "s"),
        request(2, &json!({"method": "session/execute", "sessionId": "zz", "request": {"tool_call_id": "c", "enabled_tools": [], "source": "1"}})),
        request(3, &json!({"method": "session/execute", "sessionId": "s", "request": {"tool_call_id": "c", "enabled_tools": [], "source": "1", "max_output_tokens": -1}})),
        json!({"type": "operation/cancel", "id": 77}),
        json!({"type": "operation/yield", "id": 77}),
        json!({"type": "delegate/response", "id": 77, "result": {"status": "error", "message": "x"}}),
        request(4, &json!({"method": "session/shutdown", "sessionId": "t"})),
    ])
    .await;
    let response = |id: i64, result: Value| json!({"type": "operation/response", "id": id, "result": result});
    let error = |id: i64, message: &str| response(id, json!({"status": "error", "message": message}));
    let ok = |id: i64, value: Value| response(id, json!({"status": "ok", "value": value}));
    for expected in [
        json!({"type": "connection/ready", "selectedVersion": 1, "capabilities": ["bounded-output-v1", "delegate-capacity-4096", "session-cell-execution-resource-limits", "yield-observation"]}),
        ok(-5, json!({"type": "session/ready", "sessionId": "s"})),
        ok(0, json!({"type": "session/ready", "sessionId": "t"})),
        error(1, "code-mode session ID `s` is already open"),
        error(2, "unknown code-mode session zz"),
        error(3, "invalid code-mode execute request: out of range integral type conversion attempted"),
        ok(4, json!({"type": "session/closed", "sessionId": "t"})),
    ] {
        assert_eq!(soon(read(&mut output)).await.unwrap(), expected);
    }
    let mut input = child.stdin.take().unwrap();
    input.write_all(&frame(&open(5, "t"))).await.unwrap();
    assert_eq!(soon(read(&mut output)).await.unwrap(), error(5, "code-mode session ID `t` was reused"));
    let tool = json!({"name": "ns__f", "tool_name": {"name": "f", "namespace": "ns"}, "description": "d", "kind": "function", "input_schema": {"type": "object"}, "output_schema": null});
    let cell = json!({"tool_call_id": "c", "enabled_tools": [tool], "source": "await tools.ns__f({b: 1, a: 2})", "yield_time_ms": null});
    let execute = request(6, &json!({"method": "session/execute", "sessionId": "s", "request": cell}));
    input.write_all(&frame(&execute)).await.unwrap();
    assert_eq!(
        soon(read(&mut output)).await.unwrap(),
        ok(6, json!({"type": "execution/started", "cellId": "1"}))
    );
    let invocation = json!({"cell_id": "1", "runtime_tool_call_id": "tool-1", "tool_name": {"name": "f", "namespace": "ns"}, "tool_kind": "function", "input": {"b": 1, "a": 2}});
    let call = json!({"type": "delegate/request", "id": 1, "sessionId": "s", "request": {"type": "tool/invoke", "invocation": invocation}});
    assert_eq!(soon(read(&mut output)).await.unwrap(), call);
    let answer = json!({"type": "delegate/response", "id": 1, "result": {"status": "ok", "value": {"type": "tool/result", "result": null}}});
    input.write_all(&frame(&answer)).await.unwrap();
    let first = soon(read(&mut output)).await.unwrap();
    assert_eq!((&first["type"], &first["id"]), (&json!("execute/initialResponse"), &json!(6)));
    assert_eq!(
        soon(read(&mut output)).await.unwrap(),
        json!({"type": "cell/closed", "sessionId": "s", "cellId": "1"})
    );
    drop(input);
    assert!(soon(child.wait()).await.unwrap().success());
}

/// PROTOCOL 118: the id of a request for a cell is in use until its first response.
#[tokio::test]
async fn n118_a_request_for_a_cell_is_active_until_its_first_response() {
    let cell = json!({"tool_call_id": "c", "enabled_tools": [], "source": "while (true) {}"});
    let execute = request(2, &json!({"method": "session/execute", "sessionId": "s", "request": cell}));
    let (said, code, errors) = ended(&[hello(&[]), open(1, "s"), execute.clone(), execute]).await;
    // What was said before need not be on its way yet.
    assert!(said.len() <= 3 && code == 1, "{said:?}");
    assert!(errors.contains("duplicate code-mode request ID RequestId(2)"), "{errors}");
}

/// PROTOCOL 378: a request for a cell that is cancelled gives its observation up.
#[tokio::test]
async fn n378_a_cancelled_request_lets_its_cell_go() {
    let (_host, session) = crate::peer::Start::new(crate::peer::Transport::Json).session().await;
    let cell = session.start(crate::peer::run("text('a'); await tools.go()").with(&["go"])).await;
    let (name, call) = (cell.cell.clone(), session.call().await);
    session.cancel(&cell.request).await;
    assert_eq!(cell.answer().await.unwrap_err(), "code-mode request cancelled");
    session.answer(&call, Ok(json!(1))).await;
    assert_eq!(session.wait(&name, 30_000).await.done(), ["a"]);
}

/// PROTOCOL 127 to 129: where clients come.
#[tokio::test]
async fn n127_n128_n129_a_place_that_nobody_listens_at_is_refused() {
    for place in ["ws://127.0.0.1:1", "grpc://localhost:1", "grpc://127.0.0.1", "tcp://127.0.0.1:1", "x", ""]
    {
        let output = Command::new(program()).args(["--listen", place]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{place}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(&format!("--listen URL `{place}`; expected `")), "{place}: {errors}");
    }
    let mut command = Command::new(program());
    command.args(["--listen", "stdio://"]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&frame(&hello(&[]))).await.unwrap();
    let ready = soon(read(child.stdout.as_mut().unwrap())).await.unwrap();
    assert_eq!(ready["type"], "connection/ready");
}

/// What a host makes of bytes: what it says, its exit code, and what it writes to stderr.
async fn fed(parts: &[&[u8]]) -> (Vec<Value>, i32, String) {
    let (mut child, mut output) = told(&[]).await;
    let mut input = child.stdin.take().unwrap();
    for part in parts {
        input.write_all(part).await.unwrap();
        input.flush().await.unwrap();
    }
    drop(input);
    let mut said = Vec::new();
    while let Some(message) = soon(read(&mut output)).await {
        said.push(message);
    }
    let code = soon(child.wait()).await.unwrap().code().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    (said, code, errors)
}

/// PROTOCOL 91 to 96: frames, as they come and as they must not.
#[tokio::test]
async fn n091_n092_n093_n094_n095_n096_frames_come_in_pieces_and_whole() {
    let hello = frame(&hello(&[]));
    let bytes: Vec<_> = hello.chunks(1).collect();
    let (said, code, _) = fed(&bytes).await;
    assert_eq!((said.len(), code), (1, 0));
    for part in [&[1, 0][..], &[9, 0, 0, 0, b'{'], &[1, 0, 0, 4], &[3, 0, 0, 0, b'{', b'}', b' ', 0]] {
        let (said, code, errors) = fed(&[&hello, part]).await;
        assert!(said.len() <= 1 && code == 1, "{part:?}: {said:?}");
        assert!(errors.starts_with("Error: failed to read code-mode client message"), "{errors}");
    }
    assert_eq!(fed(&[]).await.1, 0);
}

/// PROTOCOL 107: nothing is passed over, however deep.
#[tokio::test]
async fn n107_unknown_fields_end_the_connection_at_every_level() {
    let execute = json!({"type": "operation/request", "id": 2, "request": {"method": "session/execute", "sessionId": "s", "request":
        {"tool_call_id": "c", "enabled_tools": [{"name": "f", "tool_name": {"name": "f"}, "description": "", "kind": "function"}], "source": "1"}}});
    let wait = request(
        2,
        &json!({"method": "session/wait", "sessionId": "s", "request": {"cell_id": "1", "yield_time_ms": 1}}),
    );
    let opening = request(2, &json!({"method": "session/open", "sessionId": "t", "cellExecutionLimits": {}}));
    let answer = json!({"type": "delegate/response", "id": 1, "result": {"status": "ok", "value": {"type": "tool/result", "result": 1}}});
    let failure =
        json!({"type": "delegate/response", "id": 1, "result": {"status": "error", "message": "m"}});
    for (message, places) in [
        (
            execute,
            &[
                "",
                "/request",
                "/request/request",
                "/request/request/enabled_tools/0",
                "/request/request/enabled_tools/0/tool_name",
            ][..],
        ),
        (wait, &["/request", "/request/request"]),
        (opening, &["/request", "/request/cellExecutionLimits"]),
        (request(2, &json!({"method": "session/terminate", "sessionId": "s", "cellId": "1"})), &["/request"]),
        (request(2, &json!({"method": "session/shutdown", "sessionId": "s"})), &["/request"]),
        (json!({"type": "operation/cancel", "id": 1}), &[""]),
        (json!({"type": "operation/yield", "id": 1}), &[""]),
        (answer, &["", "/result", "/result/value"]),
        (failure, &["/result"]),
    ] {
        for place in places {
            let mut message = message.clone();
            message.pointer_mut(place).unwrap()["surplus"] = json!(1);
            let (_, code, errors) = ended(&[hello(&[]), open(1, "s"), message.clone()]).await;
            assert!(code == 1 && errors.contains("unknown field `surplus`"), "{message}: {errors}");
        }
    }
}

/// PROTOCOL 109: that also ends a host whose client does not read.
#[tokio::test]
async fn n109_a_second_hello_ends_a_host_that_cannot_write() {
    let cell = json!({"tool_call_id": "c", "enabled_tools": [], "source": "notify('x'.repeat(3e6)); await new Promise(() => {})"});
    let execute = request(2, &json!({"method": "session/execute", "sessionId": "s", "request": cell}));
    let (mut child, mut output) = told(&[hello(&[]), open(1, "s"), execute]).await;
    while soon(read(&mut output)).await.unwrap()["type"] != "operation/response" {}
    soon(read(&mut output)).await.unwrap();
    // The beginning of the next frame: its end is more than a pipe holds.
    soon(output.read_exact(&mut [0; 1000])).await.unwrap();
    child.stdin.as_mut().unwrap().write_all(&frame(&hello(&[]))).await.unwrap();
    assert_eq!(soon(child.wait()).await.unwrap().code(), Some(1));
}
