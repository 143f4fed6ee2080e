//! No host is left when whoever started it is gone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::harness::{Process, children};

const WAITS: &str = "text('waits'); await new Promise((done) => setTimeout(done, 1e9))";
const SPINS: &str = "text('spins'); for (;;);";

#[test]
fn a_parent_that_is_killed_leaves_no_host() {
    for cell in [WAITS, SPINS] {
        let mut parent = Command::new(env!("CARGO_BIN_EXE_carrel"))
            .args(["run", "--isolation", "process", "--no-mcp", "-e", cell])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let hosts = children(parent.id());
        assert_eq!(hosts.len(), 1, "it has one host");
        parent.kill().unwrap();
        parent.wait().unwrap();
        hosts.iter().for_each(Process::ends);
    }
}

#[test]
fn a_cell_in_a_process_of_its_own_prints_what_it_prints_here() {
    for isolation in ["none", "process"] {
        let output = Command::new(env!("CARGO_BIN_EXE_carrel"))
            .args(["run", "--isolation", isolation, "--no-mcp", "-e", "text('hi'); export default { n: 1 }"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "hi\n{\n  \"n\": 1\n}\n", "{output:?}");
        assert!(output.status.success());
    }
}
