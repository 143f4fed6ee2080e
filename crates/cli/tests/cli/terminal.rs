//! What a person at a terminal sees. `script` lends the pseudo-terminal.

use std::process::Stdio;

use crate::harness::Desk;

/// Runs a cell with all streams on a terminal, and returns what the terminal was sent.
fn at_a_terminal(desk: &Desk, cell: &str, environment: &[(&str, &str)]) -> String {
    desk.write("cell.js", cell);
    let output = desk
        .at_a_terminal("run cell.js")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_spinner_turns_and_is_gone_before_what_is_printed() {
    let cell = "await new Promise(done => setTimeout(done, 400)); text('printed')";
    let seen = at_a_terminal(&Desk::new(), cell, &[]);
    assert!(seen.contains("running"), "{seen:?}");
    let before = seen.split("printed").next().unwrap();
    assert!(before.ends_with("\x1b[2K") || before.ends_with('\r') || before.ends_with('\n'), "{before:?}");
}

#[test]
fn hostile_output_is_shown_and_not_obeyed() {
    let cell = r"text('\x1b]0;pwned\x07'); console.warn('\x1b[2Jgone')";
    let seen = at_a_terminal(&Desk::new(), cell, &[]);
    assert!(seen.contains("␛]0;pwned␇") && seen.contains("[warn] ␛[2Jgone"), "{seen:?}");
    assert!(!seen.contains("\x1b]0;pwned") && !seen.contains("\x1b[2Jgone"), "{seen:?}");
}

#[test]
fn colours_can_be_turned_off() {
    let cell = "console.warn('careful'); null.x";
    let seen = at_a_terminal(&Desk::new(), cell, &[]);
    assert!(seen.contains("\x1b[33m[warn] careful\x1b[0m"), "{seen:?}");
    let seen = at_a_terminal(&Desk::new(), cell, &[("NO_COLOR", "1")]);
    assert!(seen.contains("[warn] careful") && !seen.contains("\x1b[33m"), "{seen:?}");
}
