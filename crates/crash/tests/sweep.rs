//! A short sweep, for every change; `./x crash` is the long one.

use std::process::Command;

#[test]
fn a_killed_process_leaves_what_a_whole_one_does() {
    let output = Command::new(env!("CARGO_BIN_EXE_carrel-crash")).args(["sweep", "31"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("nothing lost and nothing done twice"), "{said}");
}
