//! Ctrl-C and the signals of its kind: whatever is under way ends, with everything that was started for it.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Desk, Ran};

/// The signals that end the program, with the codes it then ends with.
const SIGNALS: [(&str, i32); 3] = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)];

fn send(signal: &str, pid: &str) -> bool {
    Command::new("kill").args([signal, pid]).output().unwrap().status.success()
}

/// Waits for the first line of a running cell and returns the rest of the stream.
fn ready(child: &mut Child) -> BufReader<ChildStdout> {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    stdout
}

#[test]
fn a_signal_ends_the_cell_and_its_servers() {
    let desk = Desk::new();
    // A server that would stay: only carrel ends it.
    let script = "echo $$ > pid; exec \"$0\" example-server";
    let server = json!({ "command": "sh", "args": ["-c", script, "${CARREL}"] });
    desk.write("mcp.json", json!({ "mcpServers": { "orders": server } }).to_string());
    let cell = "const slow = tools.orders__slow_report({ delay_ms: 10_000 }); text('ready'); await slow";
    for (signal, code) in SIGNALS {
        let mut child = desk.spawn(&["run", "--mcp", "mcp.json", "-e", cell]);
        let mut stdout = ready(&mut child);
        let server = std::fs::read_to_string(desk.path().join("pid")).unwrap();
        assert!(send("-0", server.trim()), "the server runs");
        let began = Instant::now();
        assert!(send(signal, &child.id().to_string()));
        stdout.read_to_string(&mut String::new()).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap()).expect(code);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        ran.says(&["interrupted", "terminated in "]);
        assert!(!send("-0", server.trim()), "the server is gone after {signal}");
    }
}

#[test]
fn a_second_signal_leaves_no_server_behind() {
    let desk = Desk::new();
    let alive = desk.path().join("alive");
    assert!(Command::new("mkfifo").arg(&alive).status().unwrap().success());
    // It holds the pipe for as long as anything of it lives, and only SIGKILL ends it.
    let script = "exec 3>alive; trap '' TERM; \"$0\" example-server; while :; do sleep 1; done";
    let server = json!({ "command": "sh", "args": ["-c", script, "${CARREL}"] });
    desk.write("mcp.json", json!({ "mcpServers": { "orders": server } }).to_string());
    let cell = "text('ready'); await new Promise(done => setTimeout(done, 1e8))";
    let mut child = desk.spawn(&["run", "--mcp", "mcp.json", "-e", cell]);
    let mut alive = std::fs::File::open(alive).unwrap();
    let _stdout = ready(&mut child);
    assert!(send("-INT", &child.id().to_string()));
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("interrupted"), "{line}");
    assert!(send("-INT", &child.id().to_string()));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    alive.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_signal_ends_the_wait_for_a_source() {
    let desk = Desk::new();
    assert!(Command::new("mkfifo").arg(desk.path().join("cell")).status().unwrap().success());
    for (signal, code) in SIGNALS {
        let child = desk.spawn(&["run", "cell"]);
        // Opening it waits until carrel has opened it to read.
        let _writer = OpenOptions::new().write(true).open(desk.path().join("cell")).unwrap();
        assert!(send(signal, &child.id().to_string()));
        Ran::from(child.wait_with_output().unwrap()).expect(code);
    }
}

#[test]
fn a_signal_ends_the_example_server() {
    for (signal, code) in SIGNALS {
        let mut child = Desk::new()
            .command(&["example-server"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, format!("{initialize}\n").as_bytes()).unwrap();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        assert!(send(signal, &child.id().to_string()));
        Ran::from(child.wait_with_output().unwrap()).expect(code);
    }
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let desk = Desk::new();
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" run -e \"$1\"", env!("CARGO_BIN_EXE_carrel")])
        .arg("text('ready'); await new Promise(done => setTimeout(done, 1e8))")
        .current_dir(desk.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = ready(&mut child);
    assert!(send("-HUP", &child.id().to_string()) && send("-TERM", &child.id().to_string()));
    drop(stdout);
    Ran::from(child.wait_with_output().unwrap()).expect(143);
}
