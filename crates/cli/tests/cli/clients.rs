//! `carrel mcp`, talked to by clients that others wrote, with servers behind it that others wrote.

#![expect(clippy::indexing_slicing, reason = "what is missing fails the test")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Desk, Ran, repository};
use crate::mcp::Server;

/// A desk with `server-everything`, `server-filesystem`, `server-memory` and a server in Python, and a policy that asks.
fn desk() -> Desk {
    let desk = Desk::new();
    let npm = |name: &str| {
        repository().join(format!(".x/npm/node_modules/@modelcontextprotocol/{name}/dist/index.js"))
    };
    let python = repository().join(".x/python/bin/python");
    assert!(npm("server-memory").is_file() && python.is_file(), "servers are missing: run ./x setup");
    let servers = json!({
        "everything": { "command": "node", "args": [npm("server-everything")] },
        "files": { "command": "node", "args": [npm("server-filesystem"), desk.path()] },
        "memory": { "command": "node", "args": [npm("server-memory")], "env": { "MEMORY_FILE_PATH": desk.path().join("memory.json") } },
        "fetch": { "command": python, "args": ["-m", "mcp_server_fetch"] },
    });
    desk.write("mcp.json", json!({ "mcpServers": servers }).to_string());
    let ask = "default = \"allow\"\n[[rule]]\ntools = \"everything__echo\"\ndecision = \"ask\"\n";
    desk.write("policy.toml", ask);
    desk
}

const STDIO: [&str; 6] =
    [env!("CARGO_BIN_EXE_carrel"), "mcp", "--config", "mcp.json", "--policy", "policy.toml"];

/// Runs a client and returns what it printed.
fn run(desk: &Desk, mut command: Command) -> Value {
    command.current_dir(desk.path()).env("CARREL_DATA", desk.path().join("data")).stdin(Stdio::null());
    let ran = Ran::from(command.output().unwrap()).expect(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn fastmcp(desk: &Desk, args: &[&str]) -> Value {
    let mut command = Command::new(repository().join(".x/python/bin/python"));
    command.arg(repository().join("crates/cli/tests/mcp/fast.py")).args(args);
    run(desk, command)
}

/// The inspector's command line, which makes one connection for one request.
fn inspector(desk: &Desk, target: &[&str], request: &[&str]) -> Value {
    let inspector =
        repository().join(".x/npm/node_modules/@modelcontextprotocol/inspector-cli/build/index.js");
    assert!(inspector.is_file(), "{} is missing: run ./x setup", inspector.display());
    let mut command = Command::new("node");
    command.arg("--import").arg(repository().join("crates/cli/tests/mcp/stand-ins.mjs")).arg(inspector);
    command.args(target).args(request);
    if target.len() == 1 {
        command.args(["--transport", "http"]);
    }
    run(desk, command)
}

fn check(seen: &Value) {
    assert_eq!(seen["tools"], json!(["exec", "wait", "search_tools"]));
    let many = seen["many"]["result"].to_string();
    assert!(["42", "carrel", "fetch__fetch"].iter().all(|found| many.contains(found)), "{}", seen["many"]);
    assert!(seen["image"]["kinds"].as_array().unwrap().contains(&json!("image")), "{}", seen["image"]);
    assert_eq!(seen["ended"]["cells"][0]["status"], "terminated", "{}", seen["ended"]);
    assert!(seen["asked"]["result"].as_str().unwrap().contains("hello"), "{}", seen["asked"]);
    assert_eq!(seen["questions"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["left"]["status"], "running", "{}", seen["left"]);
}

/// Looks for the cell that the tour left, which goes on when there is a file.
fn find(desk: &Desk, seen: &Value, target: &[&str]) {
    desk.write("go", "");
    let text = |field: &str| seen["left"][field].as_str().unwrap().to_owned();
    let (session, cell) = (text("session_id"), text("cell_id"));
    let found = fastmcp(desk, &[&["found", &session, &cell], target].concat());
    assert_eq!(found["cells"][0]["result"], "done", "{found}");
}

#[test]
fn fastmcp_has_all_of_it_over_stdio_and_finds_its_cell_in_another_process() {
    let desk = desk();
    let seen = fastmcp(&desk, &[&["tour"], &STDIO[..]].concat());
    check(&seen);
    find(&desk, &seen, &STDIO);
}

#[test]
fn fastmcp_has_all_of_it_over_http_and_finds_its_cell_after_a_kill() {
    let desk = desk();
    let policy = ["--policy", "policy.toml"];
    let server = Server::with(&desk, &policy, None);
    let seen = fastmcp(&desk, &["tour", server.address()]);
    check(&seen);
    // SIGKILL.
    drop(server);
    let server = Server::with(&desk, &policy, None);
    find(&desk, &seen, &[server.address()]);
}

#[test]
fn the_inspector_goes_on_from_connection_to_connection() {
    let desk = Desk::with_orders();
    let server = Server::with(&desk, &["--pass-through", "orders__get_order"], None);
    for target in [&[env!("CARGO_BIN_EXE_carrel"), "mcp", "--config", "mcp.json"][..], &[server.address()]] {
        // Two processes cannot have one session: each makes its own.
        let listed = inspector(&desk, target, &["--method", "tools/list"]);
        let names: Vec<_> = listed["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names[..3], ["exec", "wait", "search_tools"]);
        let exec = |code: &str, more: &[&str]| {
            let code = format!("code={code}");
            let call = ["--method", "tools/call", "--tool-name", "exec", "--tool-arg", &code];
            inspector(&desk, target, &[&call, more].concat())["structuredContent"].take()
        };
        let long = exec(
            "store('n', 41); await new Promise((go) => setTimeout(go, 1000)); text('late')",
            &["yield_time_ms=0"],
        );
        assert_eq!(long["status"], "running", "{long}");
        let session = format!("session_id={}", long["session_id"].as_str().unwrap());
        let cell = format!("cell_id={}", long["cell_id"].as_str().unwrap());
        let wait = ["--method", "tools/call", "--tool-name", "wait", "--tool-arg", &session, &cell];
        let waited = inspector(&desk, target, &wait);
        let ended = &waited["structuredContent"]["cells"][0];
        assert_eq!((&ended["status"], &ended["output"]), (&json!("completed"), &json!("late\n")), "{waited}");
        assert_eq!(exec("export default load('n') + 1", &[&session])["result"], 42);
        let endless =
            exec("for (;;) await new Promise((go) => setTimeout(go, 1000))", &["yield_time_ms=0", &session]);
        let cell = format!("cell_id={}", endless["cell_id"].as_str().unwrap());
        let end = [
            "--method",
            "tools/call",
            "--tool-name",
            "wait",
            "--tool-arg",
            &session,
            &cell,
            "terminate=true",
        ];
        assert_eq!(inspector(&desk, target, &end)["structuredContent"]["cells"][0]["status"], "terminated");
    }
}

#[test]
fn a_tool_that_is_passed_through_is_under_the_same_policy() {
    let desk = Desk::with_orders();
    let rules = "default = \"allow\"\n[[rule]]\ntools = \"orders__list_orders\"\ndecision = \"deny\"\n";
    desk.write("policy.toml", rules);
    let pass = [
        "--pass-through",
        "fetch_order=orders__get_order",
        "--pass-through",
        "orders__list_*",
        "--policy",
        "policy.toml",
    ];
    let server = Server::with(&desk, &pass, None);
    let target = [server.address()];
    let listed = inspector(&desk, &target, &["--method", "tools/list"]);
    let tools = listed["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["exec", "wait", "search_tools"]);
    let order = tools.iter().find(|tool| tool["name"] == "fetch_order").unwrap();
    assert_eq!(
        (&order["annotations"]["readOnlyHint"], &order["inputSchema"]["required"]),
        (&json!(true), &json!(["id"]))
    );
    assert!(names.contains(&"orders__list_orders") && !names.contains(&"orders__update_order"), "{names:?}");
    let call = |tool: &str, args: &[&str]| {
        inspector(&desk, &target, &[&["--method", "tools/call", "--tool-name", tool], args].concat())
    };
    let fetched = call("fetch_order", &["--tool-arg", "id=o-1072"]);
    assert!(fetched["content"][0]["text"].as_str().unwrap().contains("o-1072"), "{fetched}");
    let wrong = call("fetch_order", &["--tool-arg", "id=none"]);
    assert_eq!(wrong["isError"], true, "{wrong}");
    let refused = call("orders__list_orders", &[]);
    assert!(refused["isError"] == true && refused.to_string().contains("policy"), "{refused}");
    let ours = Desk::new();
    ours.run(&["mcp", "--pass-through", "exec=a__b"]).expect(2).says(&["Carrel's own"]);
}
