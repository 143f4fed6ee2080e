//! Servers that others wrote: `server-everything` over stdio and over HTTP, and `server-filesystem`.

use crate::common::{API_KEY, PATIENCE, call, call_with, config, connect, npm};
use carrel_contract::{CancellationToken, ToolErrorCode};
use carrel_tools::{ConnectOptions, McpDelegate, NoSink, Upstreams};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

fn everything() -> Value {
    json!({ "command": "node", "args": [npm("server-everything")] })
}

/// What every connection to `server-everything` has to show.
async fn shows_everything(delegate: &McpDelegate) {
    let catalogue = delegate.catalogue();
    let names: Vec<&str> = catalogue.iter().map(|entry| entry.tool.as_str()).collect();
    assert!(names.contains(&"echo") && names.contains(&"get-sum"), "{names:?}");
    for entry in catalogue.iter() {
        assert_eq!(entry.input_schema.problem(), None, "{}", entry.name);
    }
    assert_eq!(call(delegate, "e__echo", json!({ "message": "hi" })).await.unwrap(), "Echo: hi");
    let structured =
        call(delegate, "e__get_structured_content", json!({ "location": "Chicago" })).await.unwrap();
    assert_eq!(
        structured,
        json!({ "temperature": 36, "conditions": "Light rain / drizzle", "humidity": 82 })
    );
    let kinds = |blocks: &Value| -> Vec<String> {
        blocks.as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap().to_owned()).collect()
    };
    let image = call(delegate, "e__get_tiny_image", json!({})).await.unwrap();
    assert_eq!(kinds(&image), ["text", "image", "text"]);
    let links = call(delegate, "e__get_resource_links", json!({ "count": 2 })).await.unwrap();
    assert_eq!(kinds(&links), ["text", "resource_link", "resource_link"]);
    let resource =
        call(delegate, "e__get_resource_reference", json!({ "resourceType": "Blob", "resourceId": 1 }));
    assert!(kinds(&resource.await.unwrap()).contains(&"resource".to_owned()));
    let annotated = json!({ "messageType": "success", "includeImage": true });
    let annotated = call(delegate, "e__get_annotated_message", annotated).await.unwrap();
    assert_eq!(annotated[0]["annotations"]["priority"], 0.7);
    let wrong = call(delegate, "e__get_sum", json!({ "a": 1, "b": "two" })).await.unwrap_err();
    assert_eq!(wrong.code, ToolErrorCode::InvalidInput);
    assert!(wrong.message.contains("`input.b` is \"two\"; accepted: number"), "{wrong}");
    let long = json!({ "duration": 0.02, "steps": 2 });
    let long = call(delegate, "e__trigger_long_running_operation", long).await.unwrap();
    assert!(long.as_str().unwrap().starts_with("Long running operation completed"), "{long}");
}

/// A cancelled call returns at once, and the connection goes on.
async fn cancels(delegate: &McpDelegate) {
    let cancel = CancellationToken::new();
    let input = json!({ "duration": 3600, "steps": 1 });
    let long = call_with(delegate, "e__trigger_long_running_operation", input, cancel.clone());
    let (long, _) = tokio::join!(long, async {
        call(delegate, "e__echo", json!({ "message": "x" })).await.unwrap();
        cancel.cancel();
    });
    assert_eq!(long.unwrap_err().code, ToolErrorCode::Cancelled);
    assert_eq!(call(delegate, "e__echo", json!({ "message": "still" })).await.unwrap(), "Echo: still");
}

#[tokio::test]
async fn everything_over_stdio() {
    let delegate = connect(json!({ "e": everything() })).await;
    shows_everything(&delegate).await;
    cancels(&delegate).await;
    delegate.upstreams().close().await;
}

#[tokio::test]
async fn a_child_sees_the_variables_it_was_given_and_no_others() {
    let mut server = everything();
    server["env"] = json!({ "MY_KEY": "${API_KEY}" });
    let delegate = connect(json!({ "e": server })).await;
    let environment = call(&delegate, "e__get_env", json!({})).await.unwrap();
    assert_eq!(environment["MY_KEY"], API_KEY);
    assert!(environment["PATH"].is_string());
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok() && environment["CARGO_MANIFEST_DIR"].is_null());
}

#[tokio::test]
async fn everything_over_http() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = tokio::process::Command::new("node")
        .arg(npm("server-everything"))
        .arg("streamableHttp")
        .env("PORT", port.to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(server.stderr.take().unwrap()).lines();
    let listening = async { while !stderr.next_line().await.unwrap().unwrap().contains("listening") {} };
    tokio::time::timeout(PATIENCE, listening).await.unwrap();

    let url = format!("http://127.0.0.1:{port}/mcp");
    let delegate = connect(json!({ "e": { "type": "http", "url": url } })).await;
    shows_everything(&delegate).await;
    cancels(&delegate).await;

    // The server is killed while a call is under way: the call ends, and later ones say why they cannot be made.
    let input = json!({ "duration": 3600, "steps": 1 });
    let long = call(&delegate, "e__trigger_long_running_operation", input);
    let (long, _) = tokio::join!(long, async {
        call(&delegate, "e__echo", json!({ "message": "x" })).await.unwrap();
        server.kill().await.unwrap();
    });
    let error = long.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::OutcomeUnknown, "{error}");
    let later = call(&delegate, "e__echo", json!({ "message": "x" })).await.unwrap_err();
    assert_eq!(later.code, ToolErrorCode::Unavailable, "{later}");
    assert!(!later.message.contains("/mcp"), "{later}");
    delegate.upstreams().close().await;
}

#[tokio::test]
async fn files_are_read_and_written_and_refusals_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("numbers.json"), "{\"n\": [1, 2, 3]}").unwrap();
    let delegate =
        connect(json!({ "fs": { "command": "node", "args": [npm("server-filesystem"), root] } })).await;
    let read = json!({ "path": root.join("numbers.json") });
    let numbers = call(&delegate, "fs__read_text_file", read).await.unwrap();
    assert_eq!(numbers, json!({ "content": "{\"n\": [1, 2, 3]}" }));
    let write = json!({ "path": root.join("out.txt"), "content": "from a cell" });
    call(&delegate, "fs__write_file", write).await.unwrap();
    assert_eq!(std::fs::read_to_string(root.join("out.txt")).unwrap(), "from a cell");
    let refused = call(&delegate, "fs__read_text_file", json!({ "path": "/etc/passwd" })).await.unwrap_err();
    assert_eq!(refused.code, ToolErrorCode::Failed);
    assert!(refused.message.contains("Access denied"), "{refused}");
    let hints = |name: &str| delegate.catalogue().iter().find(|entry| entry.tool == name).unwrap().hints;
    assert!(hints("read_text_file").read_only && !hints("write_file").read_only);
}

#[tokio::test]
async fn two_servers_of_which_one_is_dead() {
    let servers =
        json!({ "e": everything(), "dead": { "command": "node", "args": ["-e", "process.exit(4)"] } });
    let upstreams = Upstreams::connect(&config(servers), ConnectOptions::default()).await;
    assert_eq!(upstreams.servers(), ["e"]);
    let failures: Vec<String> = upstreams.failures().iter().map(ToString::to_string).collect();
    assert_eq!(
        failures,
        ["connect to MCP server `dead`: the process exited with status 4 before it was ready"]
    );
    let delegate = McpDelegate::new(upstreams, NoSink);
    assert_eq!(call(&delegate, "e__echo", json!({ "message": "hi" })).await.unwrap(), "Echo: hi");
    let error = call(&delegate, "dead__anything", json!({})).await.unwrap_err();
    assert_eq!(error.code, ToolErrorCode::Unavailable);
    assert!(error.message.contains("not connected, so without tools: `dead`"), "{error}");
}
