//! The doctor: well on a good machine, and clear about what is not.

use serde_json::json;

use crate::harness::Desk;

#[test]
fn a_working_machine_is_well() {
    let desk = Desk::with_orders();
    let ran = desk.run(&["doctor"]).expect(0);
    for name in [
        "version",
        "engine",
        "pool",
        "sandbox",
        "host",
        "memory limit",
        "cpu limit",
        "mcp server",
        "terminal",
    ] {
        assert!(ran.stdout.lines().any(|line| line.contains(name)), "no {name}:\n{}", ran.stdout);
    }
    assert!(
        ran.stdout
            .lines()
            .all(|line| line.starts_with("ok") || line.starts_with("warn") || line.starts_with(' '))
    );
}

#[test]
fn what_does_not_work_is_named_and_the_rest_still_tried() {
    let desk = Desk::new();
    desk.write(
        "mcp.json",
        json!({ "mcpServers": { "broken": { "command": "/nonexistent/x" } } }).to_string(),
    );
    let ran = desk.run(&["doctor"]).expect(1);
    let failed: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.len() == 1 && failed[0].contains("broken"), "{}", ran.stdout);
    assert!(ran.stdout.contains("terminal"), "{}", ran.stdout);
}
