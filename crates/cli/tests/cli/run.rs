//! Cells that do what they should.

use serde_json::{Value, json};

use crate::harness::{Desk, repository};

#[test]
fn the_readmes_first_cell_prints_its_table() {
    let desk = Desk::new();
    let cell = repository().join("examples/orders.js");
    let ran = desk.run(&["run", cell.to_str().unwrap()]).expect(0);
    // The example's data is the same at every start. When it or the cell changes, so does this file.
    assert_eq!(ran.stdout, include_str!("orders.out"));
    assert!(ran.stderr.contains(" CPU, 10 tool calls"), "{}", ran.stderr);
    assert_eq!(desk.path().read_dir().unwrap().count(), 0, "it leaves nothing behind");
}

#[test]
fn a_cell_from_the_command_line() {
    let ran = Desk::new().eval("text('hi'); text({ a: [1] }); console.log('log', 2)").expect(0);
    assert_eq!(ran.stdout, "hi\n{\"a\":[1]}\nlog 2\n");
    let ran = ran.says(&["done in ", " CPU, no tool calls"]);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn a_cell_from_standard_input() {
    let ran = Desk::new().run_with_stdin(&["run", "-"], b"text(1 + 1)").expect(0);
    assert_eq!(ran.stdout, "2\n");
}

#[test]
fn a_result_comes_last() {
    let ran = Desk::new().eval("export default { total: 3 }; text('first')").expect(0);
    assert_eq!(ran.stdout, "first\n{\n  \"total\": 3\n}\n");
}

#[test]
fn tools_beside_the_file_are_found_and_can_be_refused() {
    let desk = Desk::with_orders();
    desk.write("cell.js", "text(ALL_TOOLS.length > 0)");
    assert_eq!(desk.run(&["run", "cell.js"]).expect(0).stdout, "true\n");
    assert_eq!(desk.run(&["run", "cell.js", "--no-mcp"]).expect(0).stdout, "false\n");
    assert_eq!(desk.eval("text(ALL_TOOLS.length > 0)").expect(0).stdout, "false\n");
    let ran = desk.run(&["run", "--mcp", "mcp.json", "-e", "text(ALL_TOOLS.length > 0)"]).expect(0);
    assert_eq!(ran.stdout, "true\n");
}

#[test]
fn json_is_one_object_on_one_line() {
    let ran = Desk::new()
        .run(&["run", "--json", "-e", "text('a\u{9b}'); console.warn('b'); export default [1]"])
        .expect(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(!ran.stdout.contains('\u{9b}'));
    let mut object: Value = serde_json::from_str(&ran.stdout).unwrap();
    for item in object["items"].as_array_mut().unwrap() {
        assert!(item.as_object_mut().unwrap().remove("seq").unwrap().is_u64());
    }
    assert_eq!(
        object["items"],
        json!([{ "type": "text", "text": "a\u{9b}" }, { "type": "text", "text": "b", "level": "warn" }])
    );
    assert_eq!(object["status"], "succeeded");
    assert_eq!(object["result"], json!([1]));
    assert_eq!(object["error"], Value::Null);
    assert!(object["usage"]["elapsed_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn json_tells_a_failure() {
    let ran = Desk::new().run(&["run", "--json", "-e", "text('so far');\nnull.x"]).expect(1);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(object["status"], "failed");
    assert_eq!(object["exit_code"], 1);
    assert_eq!(object["error"]["name"], "TypeError");
    assert_eq!(object["error"]["location"]["line"], 2);
    assert_eq!(object["items"][0]["text"], "so far");
}

#[test]
fn notifications_and_levels_are_no_data() {
    let ran = Desk::new()
        .eval("notify('half way'); console.debug('d'); console.warn('w'); console.error('e'); console.info('i')")
        .expect(0);
    assert_eq!(ran.stdout, "i\n");
    ran.says(&["[notify] half way", "[debug] d", "[warn] w", "[error] e"]);
}

#[test]
fn tools_are_listed() {
    let desk = Desk::with_orders();
    let ran = desk.run(&["tools"]).expect(0);
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with("orders__") && first.contains("  orders  "), "{first}");
    let json = desk.run(&["tools", "--json"]).expect(0).stdout;
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), ran.stdout.lines().count());
    assert_eq!(rows[0]["server"], "orders");
    assert!(rows[0]["description"].as_str().unwrap().len() > 10);
}

#[test]
fn a_tool_is_described_as_a_model_reads_it() {
    let desk = Desk::with_orders();
    let ran = desk.run(&["tools", "--describe", "orders__get_order"]).expect(0);
    assert!(ran.stdout.starts_with("declare const tools: {\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  orders__get_order(input: {"), "{}", ran.stdout);
    let two = desk
        .run(&["tools", "--describe", "orders__get_order", "--describe", "orders__list_orders"])
        .expect(0);
    assert!(
        two.stdout.starts_with(&format!("{}\n", ran.stdout)) && two.stdout.contains("  orders__list_orders(")
    );
    desk.run(&["tools", "--describe", "orders__get_ordr"]).expect(2).says(&[
        "failed to describe `orders__get_ordr`: there is no such tool; the nearest are orders__get_order",
    ]);
}

#[test]
fn what_a_tool_returns_is_known_the_next_time() {
    let desk = Desk::with_orders();
    // The example's tools say what they return, so one that does not is made.
    let server = r#"
        require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
            const { id, method } = JSON.parse(line);
            const results = {
                initialize: { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } },
                "tools/list": { tools: [{ name: "t", inputSchema: { type: "object" } }] },
                "tools/call": { content: [{ type: "text", text: '{"id":1,"names":["a"]}' }] },
            };
            if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result: results[method] }));
        });"#;
    let path = desk.write("server.cjs", server);
    let config = serde_json::json!({ "mcpServers": { "s": { "command": "node", "args": [path] } } });
    desk.write("mcp.json", config.to_string());
    let describe = ["tools", "--describe", "s__t"];
    assert!(desk.run(&describe).expect(0).stdout.contains("Promise<any>"));
    let cell = desk.write("cell.js", "text((await tools.s__t()).id)");
    assert_eq!(desk.run(&["run", cell.to_str().unwrap()]).expect(0).stdout, "1\n");
    let known = desk.run(&describe).expect(0).stdout;
    assert!(known.contains("@returns as observed in earlier calls, not promised."), "{known}");
    assert!(known.contains("Promise<{ id: number; names: string[] }>"), "{known}");
}
