//! Configurations, good and bad, and servers that do not start.

use serde_json::json;

use crate::harness::Desk;

/// A server that is a program that does not exist.
fn broken() -> serde_json::Value {
    json!({ "command": "/nonexistent/mcp-server" })
}

fn orders() -> serde_json::Value {
    json!({ "command": "${CARREL}", "args": ["example-server"] })
}

#[test]
fn a_server_that_does_not_start_is_named_and_the_cell_not_run() {
    let desk = Desk::new();
    desk.write("mcp.json", json!({ "mcpServers": { "broken": broken() } }).to_string());
    desk.write("cell.js", "text('ran')");
    let ran = desk.run(&["run", "cell.js"]).expect(4).says(&["broken", "/nonexistent/mcp-server", "not run"]);
    assert_eq!(ran.stdout, "");
    desk.run(&["tools"]).expect(4).says(&["broken"]);
}

#[test]
fn a_server_that_is_no_mcp_server_is_named_too() {
    let desk = Desk::new();
    desk.write("mcp.json", json!({ "mcpServers": { "quiet": { "command": "true" } } }).to_string());
    desk.run(&["tools"]).expect(4).says(&["quiet"]);
}

#[test]
fn one_dead_server_takes_only_its_own_tools() {
    let desk = Desk::new();
    desk.write("mcp.json", json!({ "mcpServers": { "broken": broken(), "orders": orders() } }).to_string());
    desk.write("cell.js", "text(ALL_TOOLS.every(tool => tool.name.startsWith('orders__')))");
    let ran = desk.run(&["run", "cell.js"]).expect(0).says(&["warning: ", "broken"]);
    assert_eq!(ran.stdout, "true\n");
    let ran = desk.run(&["tools"]).expect(4).says(&["broken"]);
    assert!(ran.stdout.contains("orders__"), "{}", ran.stdout);
}

#[test]
fn what_is_odd_about_one_server_does_not_keep_the_others_away() {
    let desk = Desk::new();
    let odd = json!({ "command": "${env:CARREL}", "args": ["example-server"], "argz": [] });
    let old = json!({ "type": "sse", "url": "http://h/sse" });
    desk.write("mcp.json", json!({ "mcpServers": { "old": old, "orders": odd } }).to_string());
    desk.write("cell.js", "text(ALL_TOOLS.length > 0)");
    let ran = desk.run(&["run", "cell.js"]).expect(0).says(&[
        "warning: failed to connect to MCP server `old`: the transport \"sse\"",
        "warning: mcp.json: server `orders`: `argz` is not a known field",
        "did you mean `args`?",
    ]);
    assert_eq!(ran.stdout, "true\n");
}

#[test]
fn a_configuration_whose_servers_are_all_off_says_so() {
    let desk = Desk::new();
    let off = json!({ "command": "x", "disabled": true });
    desk.write("mcp.json", json!({ "mcpServers": { "a": off, "b": off } }).to_string());
    desk.run(&["tools"]).expect(0).says(&["every server of the configuration is disabled (a, b)"]);
    desk.write("mcp.json", r#"{ "mcpServers": {} }"#);
    desk.run(&["tools"]).expect(0).says(&["the configuration has no server"]);
}

#[test]
fn several_configurations_are_joined() {
    let desk = Desk::new();
    desk.write("a.json", json!({ "mcpServers": { "a": orders() } }).to_string());
    desk.write("b.json", json!({ "mcpServers": { "b": orders() } }).to_string());
    let cell = "text(['a__', 'b__'].every(p => ALL_TOOLS.some(tool => tool.name.startsWith(p))))";
    let ran = desk.run(&["run", "--mcp", "a.json", "--mcp", "b.json", "-e", cell]).expect(0);
    assert_eq!(ran.stdout, "true\n");
    desk.run(&["tools", "--mcp", "a.json", "--mcp", "a.json"]).expect(2).says(&["`a`", "a.json"]);
}

#[test]
fn bad_configurations_are_refused_before_anything_runs() {
    let desk = Desk::new();
    let refused = |content: &str, says: &[&str]| {
        desk.write("bad.json", content);
        for args in [&["run", "--mcp", "bad.json", "-e", "text(1)"][..], &["tools", "--mcp", "bad.json"]] {
            let ran = desk.run(args).expect(2).says(&["bad.json"]).says(says);
            assert_eq!(ran.stdout, "");
        }
    };
    refused("{ \"mcpServers\": ", &["line 1"]);
    refused("{}", &["mcpServers"]);
    let unset = json!({ "mcpServers": { "x": { "command": "x", "args": ["${CARREL_TEST_UNSET}"] } } });
    refused(&unset.to_string(), &["CARREL_TEST_UNSET", "x"]);
    desk.run(&["run", "--mcp", "missing.json", "-e", "1"]).expect(2).says(&["missing.json"]);
    desk.run(&["tools"]).expect(2).says(&["--mcp", "mcp.json"]);
}

#[test]
fn a_configuration_in_toml_has_servers_and_openapi_documents() {
    let desk = Desk::new();
    desk.write(
        "carrel.toml",
        "[servers.orders]\ncommand = '${CARREL}'\nargs = ['example-server']\n\n[openapi.pets]\ndocument = 'pets.yaml'\n",
    );
    desk.write(
        "pets.yaml",
        "openapi: 3.1.0\nservers: [{url: 'http://127.0.0.1:1/'}]\npaths: {/pets: {get: {operationId: list}}}\n",
    );
    // What lies beside it is not looked at.
    desk.write("mcp.json", "{");
    desk.write(
        "cell.js",
        "text(typeof tools.orders__list_orders); try { await tools.pets__list() } catch (e) { text(e.code) }",
    );
    let ran = desk.run(&["run", "cell.js"]).expect(0);
    assert_eq!(ran.stdout, "function\nunavailable\n");
    desk.write("carrel.toml", "[openapi.pets]\ndocument = 'pets.yaml\n");
    desk.run(&["tools"]).expect(2).says(&["carrel.toml: line 2", "string"]);
    desk.write("carrel.toml", "[openapi.pets]\ndocument = 'none.yaml'\nserver = '/v1'\n");
    desk.run(&["tools"]).expect(2).says(&["`openapi.pets`: `server` is \"/v1\"; accepted is a URL"]);
    desk.write("carrel.toml", "[openapi.pets]\ndocument = 'none.yaml'\n");
    desk.run(&["tools"]).expect(4).says(&["failed to read the OpenAPI document of `pets`", "none.yaml"]);
}
