//! What a model reads of tools that others wrote, under TypeScript's own compiler; and what is learned of their results.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use carrel_catalogue::declaration::{Budget, Declaration, GLOBALS, declare_all};
use carrel_contract::ToolName;
use carrel_tools::{Learned, McpDelegate};
use serde_json::{Value, json};

use crate::common::{call, connect, example_server, npm};

/// All public servers that are installed, and our own.
async fn all() -> (tempfile::TempDir, McpDelegate) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let memory = root.join("memory.json");
    let delegate = connect(json!({
        "e": { "command": "node", "args": [npm("server-everything")] },
        "f": { "command": "node", "args": [npm("server-filesystem"), root] },
        "m": { "command": "node", "args": [npm("server-memory")], "env": { "MEMORY_FILE_PATH": memory } },
        "o": example_server(),
    }));
    (folder, delegate.await)
}

/// Runs the compiler over a cell; returns what it says.
fn check(tools: &str, cell: &str) -> String {
    let tsc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/npm/node_modules/typescript/bin/tsc");
    assert!(tsc.is_file(), "{} is missing: run ./x setup", tsc.display());
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("globals.d.ts", GLOBALS), ("tools.d.ts", tools), ("cell.ts", cell)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = Command::new("node")
        .arg(tsc)
        .args(["--noEmit", "--strict", "--pretty", "false", "--lib", "esnext", "--target", "esnext"])
        .args([
            "--module",
            "esnext",
            "--moduleDetection",
            "force",
            "--skipLibCheck",
            "false",
            "globals.d.ts",
            "tools.d.ts",
            "cell.ts",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn declare(delegate: &McpDelegate) -> Vec<Declaration> {
    delegate.descriptions().iter().map(|tool| Declaration::new(tool, Budget::default())).collect()
}

#[tokio::test]
async fn tools_of_public_servers_type_check() {
    let (_folder, delegate) = all().await;
    let declared = declare(&delegate);
    assert!(declared.len() > 35, "{}", declared.len());
    let cell = r#"
        const sum: number = (await tools.e__get_sum({ a: 1, b: 2 })).length;
        const weather = await tools.e__get_structured_content({ location: "Chicago" });
        const degrees: number = weather.temperature;
        const { entities } = await tools.m__read_graph();
        const names: string[] = entities.map((entity) => entity.name);
        const file = await tools.f__read_text_file({ path: "/x", head: 1 });
        text({ sum, degrees, names, file, found: (await tools.$search("x")).length });
    "#;
    assert_eq!(check(&declare_all(&declared), cell), "");
    let wrong = [
        "await tools.e__get_sum({ a: 1, b: '2' })",
        "await tools.e__get_sum({ a: 1 })",
        "await tools.e__get_sum({ a: 1, b: 2, c: 3 })",
        "await tools.e__get_structured_content({ location: 'Nowhere' })",
        "(await tools.m__read_graph()).nothing",
        "await tools.m__create_entities({ entities: [{ name: 'x' }] })",
    ];
    let said = check(&declare_all(&declared), &wrong.join(";\n"));
    for line in 1..=wrong.len() {
        assert!(said.contains(&format!("cell.ts({line},")), "{}: {said}", wrong[line - 1]);
    }
    delegate.upstreams().close().await;
}

#[tokio::test]
async fn what_a_tool_returns_is_learned_from_its_answers() {
    let (_folder, delegate) = all().await;
    let learned = Arc::new(Learned::in_memory());
    let delegate = delegate.with_learned(Arc::clone(&learned));
    let declared = |name: &str| -> String {
        let name = ToolName::new(name).unwrap();
        let tools = delegate.descriptions();
        Declaration::new(tools.iter().find(|tool| tool.name == name).unwrap(), Budget::default()).to_string()
    };
    assert!(declared("e__echo").contains("Promise<any>"), "{}", declared("e__echo"));
    call(&delegate, "e__echo", json!({ "message": "hi" })).await.unwrap();
    assert!(declared("e__echo").contains("Promise<string>"), "{}", declared("e__echo"));
    call(&delegate, "e__get_tiny_image", json!({})).await.unwrap();
    let image = declared("e__get_tiny_image");
    assert!(image.contains("as observed in earlier calls") && image.contains("mimeType?: string"), "{image}");
    // A failed call teaches nothing.
    let error: Result<Value, _> = call(&delegate, "e__get_sum", json!({ "a": "x" })).await;
    assert!(error.is_err() && declared("e__get_sum").contains("Promise<any>"));
    assert_eq!(
        check(
            &declare_all(&declare(&delegate)),
            "text((await tools.e__echo({ message: 'x' })).trim()); export {};"
        ),
        ""
    );
    delegate.upstreams().close().await;
}
