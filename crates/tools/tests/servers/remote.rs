//! A server over streamable HTTP that misbehaves, is lost, forgets, and comes back.

use std::path::Path;
use std::process::Stdio;

use carrel_contract::ToolErrorCode;
use carrel_tools::{ConnectOptions, McpDelegate};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::common::{Door, PATIENCE, call, connect, connect_with};

/// A running server. Dropping it kills it.
struct Remote {
    process: Child,
    port: u16,
}

impl Remote {
    /// Starts one, at a port of its own for 0.
    async fn start(port: u16, more: &[&str]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/fake-http.mjs");
        let mut process = Command::new("node")
            .arg(path)
            .arg(port.to_string())
            .args(more)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        Self { process, port: line.parse().unwrap() }
    }

    fn entry(&self) -> Value {
        json!({ "type": "http", "url": format!("http://127.0.0.1:{}/mcp", self.port) })
    }

    /// Kills it and starts another at the same port.
    async fn replace(mut self) -> Self {
        self.process.kill().await.unwrap();
        Self::start(self.port, &[]).await
    }
}

async fn hello(delegate: &McpDelegate) {
    assert_eq!(call(delegate, "r__hello", json!({})).await.unwrap(), "hello");
}

#[tokio::test]
async fn nonsense_fails_its_own_call() {
    let remote = Remote::start(0, &[]).await;
    let options = ConnectOptions::default().with_message_bytes(1 << 20);
    let delegate = connect_with(json!({ "r": remote.entry() }), options).await;
    for (tool, code, said) in [
        ("wrong_id", ToolErrorCode::Internal, "not that to the request"),
        ("notification", ToolErrorCode::Internal, "not that to the request"),
        ("no_id", ToolErrorCode::Failed, "no such thing"),
        ("garbage", ToolErrorCode::Internal, ""),
        ("not_utf8", ToolErrorCode::Internal, ""),
        ("html", ToolErrorCode::OutcomeUnknown, "text/html"),
        ("huge_event", ToolErrorCode::OutcomeUnknown, ""),
        ("huge_json", ToolErrorCode::TooLarge, "Ask for less"),
        ("busy", ToolErrorCode::Unavailable, "503"),
        ("cut", ToolErrorCode::OutcomeUnknown, ""),
    ] {
        let error = call(&delegate, &format!("r__{tool}"), json!({})).await.unwrap_err();
        assert!(error.code == code && error.message.contains(said), "{tool}: {:?} {error}", error.code);
        assert!(!error.message.contains("/mcp"), "{error}");
        hello(&delegate).await;
    }
    assert_eq!(call(&delegate, "r__moved", json!({})).await.unwrap(), "found elsewhere");
    assert_eq!(call(&delegate, "r__garbled_events", json!({})).await.unwrap(), "after all");
}

#[tokio::test]
async fn a_stream_that_was_cut_is_taken_up_where_it_was() {
    let remote = Remote::start(0, &[]).await;
    let delegate = connect(json!({ "r": remote.entry() })).await;
    assert_eq!(call(&delegate, "r__resume", json!({})).await.unwrap(), "resumed");
    assert_eq!(call(&delegate, "r__closes", json!({})).await.unwrap(), "at last");
}

#[tokio::test]
async fn a_repeatable_call_whose_stream_was_cut_is_made_again() {
    let remote = Remote::start(0, &[]).await;
    let delegate = connect(json!({ "r": remote.entry() })).await;
    assert_eq!(call(&delegate, "r__cut_read_only", json!({})).await.unwrap(), "visited 1");
}

#[tokio::test]
async fn a_flood_of_events_costs_nothing_but_time() {
    let remote = Remote::start(0, &[]).await;
    let delegate = connect(json!({ "r": remote.entry() })).await;
    assert_eq!(call(&delegate, "r__flood", json!({})).await.unwrap(), "flooded");
}

#[tokio::test]
async fn a_body_that_never_ends_has_the_time_its_server_was_given() {
    let remote = Remote::start(0, &[]).await;
    let mut entry = remote.entry();
    entry["timeout"] = json!("300ms");
    let delegate = connect(json!({ "r": entry })).await;
    let slow = call(&delegate, "r__slow", json!({})).await.unwrap_err();
    assert_eq!(slow.code, ToolErrorCode::TimedOut, "{slow}");
    hello(&delegate).await;
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_followed_by_another_whose_tools_are_listed() {
    for unknown_session in [&[][..], &["400"]] {
        let remote = Remote::start(0, unknown_session).await;
        let delegate = connect(json!({ "r": remote.entry() })).await;
        let mut watch = delegate.upstreams().watch();
        watch.mark_unchanged();
        call(&delegate, "r__forget", json!({})).await.unwrap();
        hello(&delegate).await;
        tokio::time::timeout(PATIENCE, watch.changed()).await.unwrap().unwrap();
        assert!(delegate.catalogue().iter().any(|entry| entry.tool == "another"));
    }
}

#[tokio::test]
async fn tools_that_change_are_heard_of_on_the_common_stream() {
    let remote = Remote::start(0, &[]).await;
    let delegate = connect(json!({ "r": remote.entry() })).await;
    let mut watch = delegate.upstreams().watch();
    watch.mark_unchanged();
    // The common stream is opened after the handshake, by a task of its own: what is said before it stands is lost.
    while !watch.has_changed().unwrap() {
        call(&delegate, "r__shelve", json!({})).await.unwrap();
        let _changed = tokio::time::timeout(std::time::Duration::from_millis(300), watch.changed()).await;
        if delegate.catalogue().len() == 2 {
            break;
        }
    }
    assert_eq!(delegate.catalogue().len(), 2);
}

#[tokio::test]
async fn a_server_that_was_replaced_is_reached_again() {
    let remote = Remote::start(0, &[]).await;
    let delegate = connect(json!({ "r": remote.entry() })).await;
    let (port, door) = (remote.port, Door::new().await);
    let (lost, remote) = tokio::join!(call(&delegate, "r__knock", door.input()), async {
        door.open().await;
        remote.replace().await
    });
    assert_eq!((lost.unwrap_err().code, remote.port), (ToolErrorCode::OutcomeUnknown, port));
    hello(&delegate).await;
    // Gone, and no other in its place: named without its address. Then it is back.
    drop(remote);
    // As many as there are connections kept open may go out over one that closes at that moment: nobody knows what became
    // of them.
    let gone = loop {
        let gone = call(&delegate, "r__hello", json!({})).await.unwrap_err();
        if gone.code != ToolErrorCode::OutcomeUnknown {
            break gone;
        }
    };
    assert_eq!((gone.code, gone.retryable), (ToolErrorCode::Unavailable, true), "{gone}");
    assert!(gone.message.contains("refused") && !gone.message.contains(&port.to_string()), "{gone}");
    let _remote = Remote::start(port, &[]).await;
    hello(&delegate).await;
}
