//! `carrel install` and `carrel uninstall`, in homes of their own; what they write is started by the official Python SDK.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Desk, Ran};
use crate::mcp;

/// Where each client keeps its servers, and one of them there.
const CLIENTS: [(&str, &str); 5] = [
    ("claude", ".claude.json"),
    ("claude-desktop", ".config/Claude/claude_desktop_config.json"),
    ("cursor", ".cursor/mcp.json"),
    ("codex", ".codex/config.toml"),
    ("vscode", ".config/Code/User/mcp.json"),
];

/// A client's file with the example server, which `${CARREL}` is to everybody here but to clients without variables.
fn configuration(client: &str) -> String {
    let program = env!("CARGO_BIN_EXE_carrel");
    match client {
        "codex" => {
            format!("# mine\n[mcp_servers.orders]\ncommand = '{program}'\nargs = ['example-server']\n")
        }
        "vscode" => format!(
            "{{ // mine\n  \"servers\": {{ \"orders\": {{ \"command\": \"{program}\", \"args\": [\"example-server\"] }} }}\n}}"
        ),
        _ => format!(
            "{{\n\t\"mcpServers\": {{ \"orders\": {{ \"command\": \"{program}\", \"args\": [\"example-server\"] }} }}\n}}\n"
        ),
    }
}

/// The program with the desk as its home.
fn command(desk: &Desk, args: &[&str]) -> Command {
    let mut command = desk.command(args);
    for variable in ["XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "APPDATA", "CARREL_CONFIG"] {
        command.env_remove(variable);
    }
    command.env("HOME", desk.path()).stdin(Stdio::null());
    command
}

fn run(desk: &Desk, args: &[&str]) -> Ran {
    command(desk, args).output().unwrap().into()
}

fn put(desk: &Desk, name: &str, text: &str) -> PathBuf {
    let path = desk.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// Reads the entry that a client would start: its command and its arguments.
fn entry(desk: &Desk, client: &str, file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    if client == "codex" {
        // By Codex's own rules, with another reader than the one that wrote it: Python's.
        let script = "import json, sys, tomllib; e = tomllib.load(open(sys.argv[1], 'rb'))['mcp_servers']['carrel']; print(json.dumps([e['command'], *e['args']]))";
        let output =
            Command::new("python3").args(["-c", script]).arg(file).current_dir(desk.path()).output().unwrap();
        return serde_json::from_slice(&Ran::from(output).expect(0).stdout.into_bytes()).unwrap();
    }
    let text = text.replace("// mine", "");
    let document: Value = serde_json::from_str(&text).unwrap();
    let servers = document.get("servers").or_else(|| document.get("mcpServers")).unwrap();
    let entry = servers.get("carrel").unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let args = entry.get("args").unwrap().as_array().unwrap().iter().map(text);
    [text(entry.get("command").unwrap())].into_iter().chain(args).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_starts_the_entry_and_calls_what_was_moved() {
    for (client, name) in CLIENTS {
        let desk = Desk::new();
        let before = configuration(client);
        let file = put(&desk, name, &before);
        let shown = run(&desk, &["install", client, "--yes"]).expect(0).says(&["Carrel is in"]).stdout;
        assert!(shown.contains("orders") && shown.contains(".config/carrel/mcp.json"), "{shown}");
        run(&desk, &["install", client]).expect(0).says(&["nothing to change"]);
        let entry = entry(&desk, client, &file);
        let entry: Vec<&str> = entry.iter().map(String::as_str).collect();
        let listed = "(await tools.orders__list_orders({})).orders.length";
        let seen = mcp::client(&desk, &[&["cell", "auto", listed], &entry[..]].concat());
        assert!(seen["result"].as_u64().unwrap() > 1, "{seen}");
        run(&desk, &["uninstall", client, "--yes"]).expect(0).says(&["Carrel is out of"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), before, "{client}");
        run(&desk, &["uninstall", client, "--yes"]).expect(2).says(&["was not installed"]);
    }
}

#[test]
fn nothing_changes_unasked() {
    let desk = Desk::new();
    let before = configuration("cursor");
    let file = put(&desk, ".cursor/mcp.json", &before);
    let shown =
        run(&desk, &["install", "cursor", "--dry-run"]).expect(0).says(&["nothing was changed"]).stdout;
    assert!(shown.contains("-    \"orders\": {") && shown.contains("+    \"carrel\": {"), "{shown}");
    run(&desk, &["install", "cursor"]).expect(2).says(&["--yes changes it"]);
    run(&desk, &["install", "vscode", "--yes"]).expect(2).says(&["find VS Code", "Code"]);
    run(&desk, &["install", "emacs"]).expect(2).says(&["cursor"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert!(!desk.path().join(".config/carrel").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_is_asked() {
    for (said, is_in) in [("n\n", false), ("\n", false), ("y\n", true)] {
        let desk = Desk::new();
        let file = put(&desk, ".cursor/mcp.json", &configuration("cursor"));
        let mut command = desk.at_a_terminal("install cursor");
        command.env("HOME", desk.path()).env_remove("XDG_CONFIG_HOME").env_remove("CARREL_CONFIG");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(said.as_bytes()).unwrap();
        let seen = Ran::from(child.wait_with_output().unwrap()).expect(0).stdout;
        assert!(seen.contains("Change this? [y/N]"), "{seen}");
        assert_eq!(fs::read_to_string(&file).unwrap().contains("\"carrel\""), is_in, "{seen}");
    }
}

#[test]
fn a_project_has_an_entry_of_its_own() {
    let desk = Desk::new();
    let before = configuration("claude");
    let file = put(&desk, "shop/.mcp.json", &before);
    run(&desk, &["install", "claude", "--project=shop", "--yes"]).expect(0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"carrel-project\"") && text.contains("projects/shop.json"), "{text}");
    assert!(!desk.path().join(".claude.json").exists());
    run(&desk, &["install", "claude-desktop", "--project=shop"])
        .expect(2)
        .says(&["accepted are claude, cursor"]);
    run(&desk, &["uninstall", "claude", "--project=shop", "--yes"]).expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}
