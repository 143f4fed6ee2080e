//! Servers that are missing, dying, silent, too talkative or not quite MCP.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Door, call, call_with, config, connect, failure, fake};
use carrel_contract::{CancellationToken, ToolErrorCode};
use carrel_tools::{ConnectError, ConnectOptions, McpDelegate, NoSink, Upstreams};
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_that_does_not_exist_is_named() {
    let missing = failure(json!({ "command": "no-such-command-4711" }), ConnectOptions::default()).await;
    assert_eq!(
        missing.to_string(),
        "connect to MCP server `s`: the command `no-such-command-4711` was not found in PATH"
    );
    let secret = failure(json!({ "command": "/nowhere/${API_KEY}" }), ConnectOptions::default()).await;
    assert_eq!(
        secret.to_string(),
        "connect to MCP server `s`: the command `/nowhere/${API_KEY}` was not found"
    );
    for (command, hint) in [
        (
            "no-such-command-4711 example-server",
            "was not found in PATH; it names the program alone: what follows goes into `args`",
        ),
        ("~/no-such-command-4711", "was not found; `~` is not expanded: write ${HOME}"),
    ] {
        let shell = failure(json!({ "command": command }), ConnectOptions::default()).await.to_string();
        assert!(shell.ends_with(hint), "{shell}");
    }
    let forbidden = failure(json!({ "command": "/etc/passwd" }), ConnectOptions::default()).await;
    assert!(matches!(forbidden.error, ConnectError::Spawn(_)), "{forbidden}");
    let cwd = failure(json!({ "command": "node", "cwd": "/no/such/place" }), ConnectOptions::default()).await;
    assert!(cwd.to_string().ends_with("working directory `/no/such/place` does not exist"), "{cwd}");
}

#[tokio::test]
async fn one_that_exits_at_once_is_quoted_without_its_secrets() {
    let error = failure(fake("exit"), ConnectOptions::default()).await;
    assert_eq!(
        error.to_string(),
        "connect to MCP server `s`: the process exited with status 3 before it was ready; its last words on stderr:\n  \
         starting\n  no config for key ${API_KEY}"
    );
    let quick = failure(
        json!({ "command": "sh", "args": ["-c", "echo boom >&2; exit 3"] }),
        ConnectOptions::default(),
    )
    .await;
    assert!(quick.to_string().ends_with("on stderr:\n  boom"), "{quick}");
}

#[tokio::test]
async fn one_that_never_answers_runs_out_of_time() {
    let brief = ConnectOptions::default().with_connect_time(Duration::from_millis(300));
    let error = failure(fake("deaf"), brief.clone()).await;
    assert!(error.to_string().ends_with("no answer to `initialize` within 300ms"), "{error}");
    let brief = brief.with_connect_time(Duration::from_secs(3));
    let error = failure(fake("no-list"), brief).await;
    assert!(error.to_string().ends_with("no answer to `tools/list` within 3s"), "{error}");
}

#[tokio::test]
async fn one_that_writes_garbage_to_stdout_is_told_so() {
    let garbage = json!({ "command": "sh", "args": ["-c", "echo Listening with key $KEY; cat > /dev/null"],
                          "env": { "KEY": "${API_KEY}" } });
    let brief = ConnectOptions::default().with_connect_time(Duration::from_secs(1));
    let error = failure(garbage, brief).await.to_string();
    assert!(
        error.contains("a line to stdout") && error.contains("\"Listening with key ${API_KEY}\""),
        "{error}"
    );
    // A few stray lines do not keep a server from working.
    let delegate = connect(json!({ "s": fake("chatty") })).await;
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
}

#[tokio::test]
async fn one_that_refuses_is_quoted() {
    let error = failure(fake("refuse"), ConnectOptions::default()).await;
    assert_eq!(
        error.to_string(),
        "connect to MCP server `s`: `initialize` failed: it answered with error -32000: not for ${API_KEY}"
    );
}

#[tokio::test]
async fn one_without_a_handshake_is_spoken_to_without() {
    let delegate = connect(json!({ "s": fake("modern") })).await;
    assert_eq!(call(&delegate, "s__kinds", json!({})).await.unwrap().as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn one_that_is_slow_delays_its_own_tools_and_those_that_could_have_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut slow = fake("modern");
    let wait = "while [ ! -e \"$0\" ]; do sleep 0.02; done; exec node \"$@\"";
    slow["command"] = "sh".into();
    slow["args"] =
        [&[json!("-c"), json!(wait), json!(go)], &slow["args"].as_array().unwrap()[..]].concat().into();
    let servers = json!({ "a-b": fake("modern"), "a_b": slow, "c": fake("modern") });
    let upstreams = Arc::new(Upstreams::begin(&config(servers), Vec::new(), ConnectOptions::default()));
    let delegate = McpDelegate::new(Arc::clone(&upstreams), NoSink);
    let (mut connecting, mut catalogues) = (upstreams.connecting(), upstreams.watch());
    let watched = async {
        call(&delegate, "c__kinds", json!({})).await.unwrap();
        connecting.wait_for(|connecting| connecting.len() == 1).await.unwrap();
        assert!(catalogues.borrow_and_update().iter().all(|tool| &*tool.server == "c"));
        let (called, ()) = tokio::join!(call(&delegate, "a_b__kinds", json!({})), async {
            std::fs::write(&go, "").unwrap();
        });
        called.unwrap();
        let catalogue = catalogues.borrow_and_update().clone();
        let named =
            |name: &str| catalogue.iter().find(|tool| tool.name.as_str() == name).unwrap().server.clone();
        assert_eq!([&*named("a_b__kinds"), &*named("a_b__kinds_2")], ["a-b", "a_b"]);
    };
    tokio::join!(upstreams.establish(), watched);
    assert!(connecting.borrow().is_empty());
    upstreams.close().await;
}

#[tokio::test]
async fn an_endless_list_of_tools_is_cut() {
    let options = ConnectOptions::default().with_tools(7);
    let upstreams = Upstreams::connect(&config(json!({ "s": fake("endless") })), options).await;
    assert_eq!(upstreams.catalogue().len(), 7);
    assert!(upstreams.warnings()[0].to_string().contains("`s` has more than 7 tools"));
}

#[tokio::test]
async fn one_with_a_transport_that_is_not_spoken_fails_alone() {
    let servers = json!({ "old": { "type": "sse", "url": "http://h/sse" }, "s": fake("serve") });
    let upstreams = Upstreams::connect(&config(servers), ConnectOptions::default()).await;
    assert_eq!(upstreams.servers(), ["s"]);
    let failure = upstreams.failures()[0].to_string();
    assert!(
        failure.starts_with("connect to MCP server `old`: the transport \"sse\" is not supported"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_tool_that_is_malformed_is_left_out_and_named() {
    let config = config(json!({ "s": fake("malformed-tools") }));
    let upstreams = Upstreams::connect(&config, ConnectOptions::default()).await;
    assert_eq!(upstreams.catalogue().len(), 1, "{:?}", upstreams.failures());
    let [warning] = &upstreams.warnings()[..] else { panic!("{:?}", upstreams.warnings()) };
    assert!(warning.to_string().contains("`null`"), "{warning}");
}

#[tokio::test]
async fn an_answer_that_is_too_deep_fails_its_request() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let error = call(&delegate, "s__deep", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Internal);
    assert!(error.message.contains("nested deeper than the 128 levels"), "{error}");
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
    let error = failure(fake("deep-list"), ConnectOptions::default()).await.to_string();
    assert!(error.contains("`tools/list` failed: the server's answer is nested deeper"), "{error}");
}

#[tokio::test]
async fn all_pages_are_listed_and_shared_names_told_apart() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let catalogue = delegate.catalogue();
    assert_eq!(catalogue.len(), 30);
    let same: Vec<(&str, &str)> = catalogue
        .iter()
        .filter(|entry| entry.tool.starts_with("same"))
        .map(|entry| (entry.name.as_str(), entry.tool.as_str()))
        .collect();
    assert_eq!(same, [("s__same_name", "same-name"), ("s__same_name_2", "same.name")]);
    let long = catalogue.iter().find(|entry| entry.tool == "long_description").unwrap();
    assert!(long.description.len() < 9000 && long.description.ends_with("more bytes]"));
    let bad = catalogue.iter().find(|entry| entry.tool == "bad_schema").unwrap();
    assert!(bad.input_schema.problem().is_some());
}

#[tokio::test]
async fn every_kind_of_content_comes_through() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let blocks = call(&delegate, "s__kinds", json!({})).await.unwrap();
    let kinds: Vec<&str> = blocks.as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "image", "audio", "resource_link", "resource", "resource"]);
    assert_eq!(blocks[2], json!({ "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" }));
    assert_eq!(blocks[5]["resource"]["blob"], "AAEC");
    let answer = async |result: Value| call(&delegate, "s__answer", json!({ "result": result })).await;
    let text = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
    assert_eq!(answer(text("{\"a\": [1]}")).await.unwrap(), json!({ "a": [1] }));
    assert_eq!(answer(text("plain")).await.unwrap(), "plain");
    assert_eq!(
        answer(json!({ "content": [], "structuredContent": { "z": 1 } })).await.unwrap(),
        json!({ "z": 1 })
    );
    let failed = json!({ "isError": true, "content": [{ "type": "text", "text": "no" }] });
    assert_eq!(answer(failed).await.unwrap_err().message, "no");
}

#[tokio::test]
async fn an_answer_that_is_none_fails_its_call_only() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    for tool in ["s__malformed", "s__unknown_block"] {
        let error = call(&delegate, tool, json!({})).await.unwrap_err();
        assert_eq!(error.code, ToolErrorCode::Internal, "{tool}: {error}");
    }
    let error = call(&delegate, "s__protocol_error", json!({})).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (ToolErrorCode::Failed, "the fake broke"));
    assert_eq!(error.data.unwrap().as_str(), r#"{"at":"call"}"#);
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection_and_says_so() {
    let options = ConnectOptions::default().with_message_bytes(100_000);
    let upstreams =
        Upstreams::connect(&config(json!({ "s": fake("endless") })), options.clone().with_tools(1)).await;
    assert!(upstreams.failures().is_empty());
    // The long description alone is longer than that, so the list of tools never arrives.
    let error = failure(fake("serve"), options).await.to_string();
    assert!(error.contains("sent a message longer than 100000 bytes"), "{error}");

    let options = ConnectOptions::default().with_message_bytes(150_000);
    let upstreams = Upstreams::connect(&config(json!({ "s": fake("serve") })), options).await;
    let delegate = McpDelegate::new(upstreams, NoSink);
    let error = call(&delegate, "s__oversized", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::OutcomeUnknown);
    assert!(error.message.contains("longer than 150000 bytes"), "{error}");
}

#[tokio::test]
async fn a_result_over_the_limit_is_too_large() {
    let delegate = connect(json!({ "s": fake("serve") })).await.with_value_bytes(1000);
    let error = call(&delegate, "s__oversized", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::TooLarge);
    let error = call(&delegate, "s__kinds", json!({ "x": "y".repeat(2000) })).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::TooLarge);
    assert!(call(&delegate, "s__protocol_error", json!({})).await.is_err());
}

#[tokio::test]
async fn a_cancelled_call_is_cancelled_at_the_server_which_is_not_waited_for() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let door = Door::new().await;
    let cancel = CancellationToken::new();
    let (ended, mut visitor) =
        tokio::join!(call_with(&delegate, "s__knock", door.input(), cancel.clone()), async {
            let visitor = door.open().await;
            cancel.cancel();
            visitor
        });
    // The fake never answers a knock, so this came from our side; and the server was told.
    assert_eq!(ended.unwrap_err().code, ToolErrorCode::Cancelled);
    assert_eq!(visitor.says().await.as_deref(), Some("cancelled"));
    // A token that has fired already keeps the call from being made.
    let error = call_with(&delegate, "s__die", json!({}), cancel).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Cancelled);
    assert!(call(&delegate, "s__kinds", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_too() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let door = Door::new().await;
    let knocking = call(&delegate, "s__knock", door.input());
    let mut visitor = tokio::select! {
        _ = knocking => panic!("a knock is never answered"),
        visitor = door.open() => visitor,
    };
    assert_eq!(visitor.says().await.as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn closing_ends_calls_and_processes() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    let door = Door::new().await;
    let (ended, mut visitor) = tokio::join!(call(&delegate, "s__knock", door.input()), async {
        let visitor = door.open().await;
        delegate.upstreams().close().await;
        visitor
    });
    assert_eq!(ended.unwrap_err().code, ToolErrorCode::OutcomeUnknown);
    // An open socket keeps the fake alive after its input closed, so it was asked to end.
    assert_eq!(visitor.says().await.as_deref(), Some("asked to end"));
    assert_eq!(visitor.says().await, None);
    delegate.upstreams().close().await;
    let later = call(&delegate, "s__kinds", json!({})).await.unwrap_err();
    assert_eq!(later.code, ToolErrorCode::Unavailable);
    assert!(later.message.contains("was closed"), "{later}");
}

#[tokio::test]
async fn one_that_does_not_want_to_end_is_killed() {
    let options = ConnectOptions::default().with_close_grace(Duration::from_millis(50));
    let upstreams = Upstreams::connect(&config(json!({ "s": fake("stubborn") })), options).await;
    let delegate = McpDelegate::new(upstreams, NoSink);
    let door = Door::new().await;
    let (_, mut visitor) = tokio::join!(call(&delegate, "s__knock", door.input()), async {
        let visitor = door.open().await;
        delegate.upstreams().close().await;
        visitor
    });
    assert_eq!(visitor.says().await.as_deref(), Some("asked to end"));
    assert_eq!(visitor.says().await, None);
}

#[tokio::test]
async fn what_a_server_started_ends_with_it() {
    // The shell stays between Carrel and the server, as with `npx`.
    let fake = fake("stubborn");
    let script = format!("node {} stubborn; true", fake["args"][0].as_str().unwrap());
    let wrapped = json!({ "command": "sh", "args": ["-c", script] });
    let door = Door::new().await;
    let delegate = connect(json!({ "s": wrapped })).await;
    let mut visitor = tokio::select! {
        _ = call(&delegate, "s__knock", door.input()) => panic!("a knock is never answered"),
        visitor = door.open() => visitor,
    };
    drop(delegate);
    loop {
        match visitor.says().await.as_deref() {
            Some("cancelled" | "asked to end") => {}
            None => break,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn one_that_reads_no_more_can_be_cancelled_and_closed() {
    let delegate = connect(json!({ "s": fake("serve") })).await;
    assert_eq!(call(&delegate, "s__plug", json!({})).await.unwrap(), "plugged");
    let cancel = CancellationToken::new();
    let large = json!({ "x": "y".repeat(4 << 20) });
    let (stuck, ()) = tokio::join!(call_with(&delegate, "s__kinds", large, cancel.clone()), async {
        // The call above has been polled first, so it is on its way.
        tokio::task::yield_now().await;
        cancel.cancel();
    });
    assert_eq!(stuck.unwrap_err().code, ToolErrorCode::Cancelled);
    tokio::time::timeout(crate::common::PATIENCE, delegate.upstreams().close()).await.unwrap();
}
