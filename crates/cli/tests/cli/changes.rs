//! Tools that change while `carrel repl` or `carrel mcp` runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use serde_json::json;

use crate::harness::Desk;
use crate::mcp::{Server, client};

/// A server with one tool, `swap`, which puts the tool that it is told beside itself, in the place of the one before.
const SERVER: &str = r#"
    let names = ["swap", "old"];
    const send = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
        const { id, method, params } = JSON.parse(line);
        const answer = (result) => send({ id, result });
        if (method === "initialize") {
            const capabilities = { tools: { listChanged: true } };
            answer({ protocolVersion: "2025-06-18", capabilities, serverInfo: { name: "s", version: "1" } });
        } else if (method === "tools/list") {
            answer({ tools: names.map((name) => ({ name, inputSchema: { type: "object" } })) });
        } else if (method === "tools/call") {
            const { name } = params;
            if (name === "swap") {
                names = ["swap", params.arguments.name];
                send({ method: "notifications/tools/list_changed" });
            }
            answer({ content: [{ type: "text", text: `${name} was here` }] });
        } else if (id !== undefined) {
            send({ id, error: { code: -32601, message: "no such method" } });
        }
    });"#;

#[test]
fn the_next_cell_has_the_tools_that_its_server_has_now_under_the_same_policy() {
    let desk = Desk::new();
    let path = desk.write("server.cjs", SERVER);
    let servers = json!({ "mcpServers": { "s": { "command": "node", "args": [path] } } });
    desk.write("mcp.json", servers.to_string());
    desk.write(
        "policy.toml",
        "default = \"allow\"\n[[rule]]\ntools = \"*__secret\"\ndecision = \"deny\"\nreason = \"no\"\n",
    );
    let mut child = desk
        .command(&["repl", "--policy", "policy.toml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut entries = child.stdin.take().unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut enter = |entry: &str| writeln!(entries, "{entry}").unwrap();
    let mut told = |wanted: &str| assert!(notes.any(|line| line == wanted), "no {wanted:?}");

    enter("await tools.s__old()");
    enter("await tools.s__swap({ name: 'young' })");
    told("tools: s__young came; s__old went");
    enter("[await tools.s__young(), ALL_TOOLS.map((tool) => tool.name).sort().join()]");
    enter("await tools.s__swap({ name: 'secret' })");
    told("tools: s__secret came; s__young went");
    enter("await tools.s__secret().catch((error) => error.code)");
    drop(entries);
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    let expected = [
        r#""old was here""#,
        r#""swap was here""#,
        r#"["young was here","s__swap,s__young"]"#,
        r#""swap was here""#,
        r#""denied""#,
    ];
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    let rest: Vec<_> = notes.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
}

#[test]
fn a_client_is_told_when_other_tools_are_passed_through_as_the_configuration_says() {
    let desk = Desk::new();
    let path = desk.write("server.cjs", SERVER);
    let entry = json!({ "command": "node", "args": [path], "passThrough": ["swap", "you*"] });
    let servers = json!({ "mcpServers": { "s": entry, "t": { "command": "node", "args": [path] } } });
    desk.write("mcp.json", servers.to_string());
    let listed = |passed: &'static [_]| [&["exec", "wait", "search_tools"], passed].concat();
    let expected = json!([listed(&["s__swap"]), listed(&["s__swap", "s__young"])]);
    let stdio = [env!("CARGO_BIN_EXE_carrel"), "mcp", "--config", "mcp.json"];
    for mode in ["legacy", "auto"] {
        assert_eq!(client(&desk, &[&["passed", mode], &stdio[..]].concat()), expected, "{mode}");
        let server = Server::start(&desk, None);
        assert_eq!(client(&desk, &["passed", mode, server.address()]), expected, "{mode}");
    }
}
