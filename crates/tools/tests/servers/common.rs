//! What the tests over real servers share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{
    CancellationToken, CellId, CodeModeSessionDelegate as _, JsonText, SessionId, ToolCall, ToolCallId,
    ToolError, ToolName,
};
use carrel_tools::config::Environment as _;
use carrel_tools::{ConnectOptions, McpConfig, McpDelegate, NoSink, ProcessEnvironment, Upstreams};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Long enough that only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What `${API_KEY}` stands for in tests: it must not show up anywhere.
pub(crate) const API_KEY: &str = "sk-test-4f9a61c2";

/// The entry of the example server.
pub(crate) fn example_server() -> Value {
    json!({ "command": env!("CARGO_BIN_EXE_carrel-example-server") })
}

/// The entry of the misbehaving server in one of its modes.
pub(crate) fn fake(mode: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/fake.mjs");
    json!({ "command": "node", "args": [path, mode], "env": { "API_KEY": "${API_KEY}" } })
}

/// The entry of the misbehaving server with a file that outlasts its processes.
pub(crate) fn fake_with_state(mode: &str, state: &Path) -> Value {
    let mut server = fake(mode);
    server["args"].as_array_mut().unwrap().push(json!(state));
    server
}

/// The main file of an npm package that `./x setup` installs.
pub(crate) fn npm(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/npm/node_modules/@modelcontextprotocol");
    let path = root.join(package).join("dist/index.js");
    assert!(path.is_file(), "{} is missing: run ./x setup", path.display());
    path
}

/// Reads a configuration with these servers.
pub(crate) fn config(servers: Value) -> McpConfig {
    let environment =
        |name: &str| if name == "API_KEY" { Some(API_KEY.to_owned()) } else { ProcessEnvironment.get(name) };
    McpConfig::parse(&json!({ "mcpServers": servers }).to_string(), "test", &environment).unwrap()
}

/// Connects to these servers, of which none may fail.
pub(crate) async fn connect(servers: Value) -> McpDelegate {
    connect_with(servers, ConnectOptions::default()).await
}

/// Connects to these servers in this way.
pub(crate) async fn connect_with(servers: Value, options: ConnectOptions) -> McpDelegate {
    let upstreams = Upstreams::connect(&config(servers), options).await;
    assert!(upstreams.failures().is_empty(), "{:?}", upstreams.failures());
    McpDelegate::new(upstreams, NoSink)
}

/// Connects to one server that must not come up, and returns why.
pub(crate) async fn failure(server: Value, options: ConnectOptions) -> Arc<carrel_tools::ConnectFailure> {
    let upstreams = Upstreams::connect(&config(json!({ "s": server })), options).await;
    let shown = format!("{upstreams:?}");
    assert!(!shown.contains(API_KEY), "{shown}");
    assert_eq!(upstreams.failures().len(), 1, "{shown}");
    let failure = &upstreams.failures()[0];
    let text = format!("{failure} {failure:?}");
    assert!(!text.contains(API_KEY), "{text}");
    upstreams.failures().remove(0)
}

/// A call as a session makes it.
pub(crate) fn tool_call(tool: &str, input: &Value) -> ToolCall {
    ToolCall::new(
        SessionId::new("s").unwrap(),
        CellId::new("c").unwrap(),
        ToolCallId::new("t").unwrap(),
        ToolName::new(tool).unwrap(),
        Some(JsonText::from_value(input)),
    )
}

/// Makes a call as a session would.
pub(crate) async fn call_with(
    delegate: &McpDelegate,
    tool: &str,
    input: Value,
    cancel: CancellationToken,
) -> Result<Value, ToolError> {
    let call = tool_call(tool, &input);
    let answer = tokio::time::timeout(PATIENCE, delegate.invoke_tool(call, cancel));
    answer.await.expect("the call ends").map(|json| json.to_value())
}

/// Makes a call that nobody cancels.
pub(crate) async fn call(delegate: &McpDelegate, tool: &str, input: Value) -> Result<Value, ToolError> {
    call_with(delegate, tool, input, CancellationToken::new()).await
}

/// The test's end of the fake's `knock`: tells that the call has arrived, and what happens to it after.
pub(crate) struct Door {
    listener: TcpListener,
}

/// The open line to a call that has arrived.
pub(crate) struct Visitor {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
    pub(crate) pid: u32,
}

impl Door {
    pub(crate) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    /// The input of a `knock` at this door.
    pub(crate) fn input(&self) -> Value {
        json!({ "port": self.listener.local_addr().unwrap().port() })
    }

    /// Waits until the call has arrived at the server.
    pub(crate) async fn open(&self) -> Visitor {
        let (stream, _) = tokio::time::timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        let mut visitor = Visitor { lines: BufReader::new(stream).lines(), pid: 0 };
        let line = visitor.says().await.expect("a greeting");
        visitor.pid = line.strip_prefix("called ").unwrap().parse().unwrap();
        visitor
    }
}

impl Visitor {
    /// Waits for what it says next; `None` when it is gone.
    pub(crate) async fn says(&mut self) -> Option<String> {
        // A killed process may reset the connection instead of closing it.
        tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap_or(None)
    }

    /// Kills the server from outside.
    pub(crate) fn kill(&self) {
        let status = std::process::Command::new("kill").args(["-9", &self.pid.to_string()]).status().unwrap();
        assert!(status.success());
    }
}
