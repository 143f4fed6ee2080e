//! `carrel import`.

use crate::harness::{Desk, Ran};

const CLAUDE: &str = r#"{ "mcpServers": { "gh": { "command": "gh-mcp", "env": { "TOKEN": "ghp_0123456789", "URL": "${GH_URL}" } } } }"#;

/// Runs the program with the desk as its home, too: what the tester has configured is nobody's business.
fn run(desk: &Desk, args: &[&str]) -> Ran {
    let mut command = desk.command(args);
    for variable in ["XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "APPDATA"] {
        command.env_remove(variable);
    }
    command.env("HOME", desk.path()).stdin(std::process::Stdio::null()).output().unwrap().into()
}

#[test]
fn is_shown_without_secrets_and_written_with_them_once() {
    let desk = Desk::new();
    desk.write(".mcp.json", CLAUDE);
    let shown = run(&desk, &["import", "--from", "claude"])
        .expect(0)
        .says(&["`env.TOKEN` looks like a secret", "nothing was written"]);
    assert!(shown.stdout.contains("${GH_URL}") && shown.stdout.contains("[hidden]"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("ghp_") && !shown.stderr.contains("ghp_"));
    run(&desk, &["import", "--write", "out.json"]).expect(0).says(&["wrote out.json, with the secrets"]);
    let path = desk.path().join("out.json");
    assert!(std::fs::read_to_string(&path).unwrap().contains("ghp_0123456789"));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
        0o600
    );
    run(&desk, &["import", "--write", "out.json"]).expect(2).says(&["is there already; --force"]);
    desk.write("out.json", "old");
    run(&desk, &["import", "--write", "out.json", "--force"]).expect(0);
    assert!(std::fs::read_to_string(&path).unwrap().contains("gh-mcp"));
    run(&desk, &["import", "--write", "out.toml"]).expect(2).says(&[".json"]);
    run(&desk, &["import", "--from", "codex"]).expect(0).says(&["no servers found"]);
    run(&desk, &["import", "--from", "emacs"]).expect(2).says(&["vscode"]);
}
