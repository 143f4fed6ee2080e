//! Sessions that are kept, and processes that are killed in the middle of a cell.
//!
//! No test waits by time. The server of these tests asks the test what to answer to each call, over a connection of its own:
//! a call is under way for as long as the test says nothing.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Desk, Ran};
use crate::upstreams::npm;

/// `read` only reads; `write` says nothing of itself, so it must not be made twice.
const SERVER: &str = r#"
    const send = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
    const inputSchema = { type: "object", properties: { n: { type: "number" } } };
    const tools = [{ name: "read", inputSchema, annotations: { readOnlyHint: true } }, { name: "write", inputSchema }];
    const input = require("readline").createInterface({ input: process.stdin });
    input.on("close", () => process.exit());
    input.on("line", (line) => {
        const { id, method, params } = JSON.parse(line);
        const answer = (result) => send({ id, result });
        if (method === "initialize") {
            answer({ protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "s", version: "1" } });
        } else if (method === "tools/list") {
            answer({ tools });
        } else if (method === "tools/call") {
            const socket = require("net").connect(PORT, "127.0.0.1");
            socket.on("error", () => {});
            socket.on("data", (text) => answer({ content: [{ type: "text", text: String(text) }] }));
            socket.write(`${params.name} ${params.arguments.n} ${params._meta["carrel/idempotencyKey"]}\n`);
        } else if (id !== undefined) {
            send({ id, error: { code: -32601, message: "no such method" } });
        }
    });"#;

/// A desk whose `mcp.json` names that server as `s`.
pub(crate) struct Bench {
    pub(crate) desk: Desk,
    listener: TcpListener,
}

/// A call that is under way.
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) key: String,
    socket: TcpStream,
}

impl Call {
    pub(crate) fn answer(mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).unwrap();
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (desk, listener) = (Desk::new(), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port().to_string();
        let path = desk.write("server.cjs", SERVER.replace("PORT", &port));
        let servers = json!({ "mcpServers": { "s": { "command": "node", "args": [path] } } });
        desk.write("mcp.json", servers.to_string());
        Self { desk, listener }
    }

    /// Waits for so many calls, and returns them by what they are and their `n`.
    pub(crate) fn calls(&self, count: usize) -> Vec<Call> {
        let accept = || {
            let socket = self.listener.accept().unwrap().0;
            let mut line = String::new();
            BufReader::new(&socket).read_line(&mut line).unwrap();
            let (name, key) = line.trim().rsplit_once(' ').unwrap();
            Call { name: name.to_owned(), key: key.to_owned(), socket }
        };
        let mut calls: Vec<_> = (0..count).map(|_| accept()).collect();
        calls.sort_by(|a, b| a.name.cmp(&b.name));
        calls
    }

    fn sessions(&self) -> Value {
        serde_json::from_str(&self.desk.run(&["sessions", "--json"]).expect(0).stdout).unwrap()
    }
}

pub(crate) fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits for the next line of what a program shows.
pub(crate) fn line(stdout: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn a_cell_that_is_killed_in_the_middle_of_a_promise_all_goes_on_there() {
    let bench = Bench::new();
    let desk = &bench.desk;
    desk.write(
        "cell.js",
        "text('begun');
        const said = (call) => call.then((value) => (text(`got ${value}`), value), (error) => error.code);
        const all = await Promise.all([tools.s__read({ n: 1 }), said(tools.s__write({ n: 2 })), said(tools.s__read({ n: 3 }))]);
        store('all', all);
        text(all.join());",
    );
    let mut child = desk.spawn(&["run", "--session", "work", "cell.js"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut stdout), "begun");
    let mut calls = bench.calls(3);
    let (write, third, first) = (calls.pop().unwrap(), calls.pop().unwrap(), calls.pop().unwrap());
    assert_eq!([&*first.name, &*third.name, &*write.name], ["read 1", "read 3", "write 2"]);
    third.answer("three");
    assert_eq!(line(&mut stdout), "got three");

    for command in [&["run", "--session", "work", "-e", "1"][..], &["resume", "work"], &["rm", "work"]] {
        desk.run(command).expect(6).says(&["in use by process"]);
    }
    let listed = &bench.sessions()[0];
    assert_eq!((&listed["name"], &listed["running"]), (&json!("work"), &json!(1)));
    assert_eq!(listed["owner"], json!(format!("process {}", child.id())));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(bench.sessions()[0]["owner"], Value::Null);
    let refused = desk.run(&["run", "--session", "work", "-e", "1"]).expect(2);
    refused.says(&["has not ended cell-1", "`carrel resume work`"]);
    desk.run_with_stdin(&["resume", "work", "--mcp", "/dev/stdin"], br#"{"mcpServers":{}}"#)
        .expect(4)
        .says(&["s__read, s__write"]);

    // The session knows its configuration, wherever it is resumed.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut resume = desk.command(&["resume", "work"]);
    resume.current_dir(elsewhere.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let resumed = resume.spawn().unwrap();
    let again = bench.calls(1).pop().unwrap();
    assert_eq!((&*again.name, &again.key), ("read 1", &first.key));
    again.answer("one");
    let ran = Ran::from(resumed.wait_with_output().unwrap()).expect(0);
    // Where the process was killed before it was written down that something was shown, it is shown again.
    let shown = ran.stdout.strip_suffix("one,outcome_unknown,three\n").unwrap();
    assert!("begun\ngot three\n".ends_with(shown), "{shown:?}");
    ran.says(&[
        "cell-1 goes on where it was",
        "cell-1: 1 call made again",
        "cell-1: 1 call that may or may not have happened",
    ]);

    desk.run(&["resume", "work"]).expect(0).says(&["nothing that was not shown"]);
    let stored = desk.run(&["run", "--session", "work", "--json", "-e", "text(load('all')[2])"]).expect(0);
    assert!(stored.stdout.contains(r#""text":"three""#), "{}", stored.stdout);
    let listed = &bench.sessions()[0];
    assert_eq!([&listed["running"], &listed["ended"], &listed["unread"]], [0, 2, 0]);
}

#[test]
fn ctrl_c_ends_the_cell_and_what_stops_the_program_leaves_it() {
    let bench = Bench::new();
    let desk = &bench.desk;
    desk.write("cell.js", "text('first'); text(await tools.s__read({ n: 1 }));");
    for (signal, code) in [("-TERM", 143), ("-HUP", 129)] {
        // With --json nothing is shown before the end, so all of it is shown later.
        let name = format!("s{signal}");
        let left = desk.spawn(&["run", "--session", &name, "--json", "cell.js"]);
        let _under_way = bench.calls(1);
        kill(&left, signal);
        let ran = Ran::from(left.wait_with_output().unwrap()).expect(code);
        assert_eq!(ran.stdout, "");
        ran.says(&[&format!("left cell-1 as it is; `carrel resume {name}` lets it go on")]);
        assert_eq!(bench.sessions()[0]["running"], 1);
        let resumed = desk.spawn(&["resume", &name]);
        bench.calls(1).pop().unwrap().answer("second");
        assert_eq!(Ran::from(resumed.wait_with_output().unwrap()).expect(0).stdout, "first\nsecond\n");
    }
    let mut ended = desk.spawn(&["run", "--session", "c", "cell.js"]);
    assert_eq!(line(&mut BufReader::new(ended.stdout.as_mut().unwrap())), "first");
    let _under_way = bench.calls(1);
    kill(&ended, "-INT");
    Ran::from(ended.wait_with_output().unwrap()).expect(130).says(&["interrupted"]);
    desk.run(&["resume", "c"]).expect(0).says(&["1 cell, which has ended"]);
}

#[test]
fn a_notebook_has_its_variables_and_its_cells_again() {
    let desk = Desk::new();
    let repl = |entries: &str| desk.run_with_stdin(&["repl", "--session", "nb"], entries.as_bytes());
    repl("const a = 20\nfunction twice(n) { return n * 2 }\nnull.x\nstore('k', 1)\n").expect(1);
    let again = repl("twice(a) + 2\n:cells\n:store\n").expect(0);
    let listed = "   1  const a = 20\n   2  function twice(n) { return n * 2 }\n   3! null.x\n   4  store('k', 1)\n   5  twice(a) + 2\n";
    assert_eq!(again.stdout, format!("42\n{listed}k  1 B\n"));
    assert_eq!(desk.run(&["run", "--session", "nb", "-e", "text(twice(_))"]).expect(0).stdout, "84\n");
    desk.run(&["run", "--session", "cells", "-e", "1"]).expect(0);
    desk.run(&["repl", "--session", "cells"]).expect(2).says(&["share stored values and no variables"]);
}

#[test]
fn a_notebook_that_is_killed_in_a_cell_goes_on_with_it_and_shows_the_places_of_its_errors() {
    let bench = Bench::new();
    let desk = &bench.desk;
    let mut child = desk
        .command(&["repl", "--session", "nb"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut entries = child.stdin.take().unwrap();
    writeln!(entries, "let a = 1\n[await tools.s__read({{ n: 7 }}), a, none]").unwrap();
    let first = bench.calls(1).pop().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let again = desk
        .command(&["repl", "--session", "nb"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut again = again.unwrap();
    let call = bench.calls(1).pop().unwrap();
    assert_eq!(call.key, first.key);
    call.answer("seven");
    again.stdin.take().unwrap().write_all(b"a + 1\n").unwrap();
    let ran = Ran::from(again.wait_with_output().unwrap()).expect(0);
    assert_eq!(ran.stdout, "2\n");
    ran.says(&["none is not defined", "cell-2:1:36"]);
}

#[test]
fn names_and_what_a_session_was_made_with_are_held_to() {
    let desk = Desk::new();
    let run = |args: &[&str]| {
        desk.run(&[&["run", "-e", "store('n', (load('n') ?? 0) + 1); text(load('n'))"], args].concat())
    };
    assert_eq!(run(&["--session", "a", "--memory", "8MiB"]).expect(0).stdout, "1\n");
    assert_eq!(run(&["--session", "a"]).expect(0).stdout, "2\n");
    assert_eq!(run(&["--session", "a", "--memory", "8MiB"]).expect(0).stdout, "3\n");
    run(&["--session", "a", "--memory", "9MiB"])
        .expect(2)
        .says(&["`--memory` counts when a session is made", "8 MiB"]);
    run(&["--session", "a", "--time-zone", "Asia/Tokyo"]).expect(2).says(&["`--time-zone`", "UTC"]);
    assert_eq!(run(&["--session", "a", "--ephemeral"]).expect(0).stdout, "1\n");
    run(&["--session", "a b"]).expect(2).says(&["a b"]);
    run(&["--ephemeral"]).expect(2);
    // Another session of the same name begins anew, and has another id.
    let id = || desk.run(&["sessions", "--json"]).expect(0).stdout;
    let before = id();
    desk.run(&["rm", "a", "nobody"]).expect(2).says(&["removed `a`", "there is no session `nobody`"]);
    assert_eq!(run(&["--session", "a"]).expect(0).stdout, "1\n");
    assert_ne!(id().split(',').nth(1), before.split(',').nth(1));
    desk.run(&["resume", "nobody"]).expect(2).says(&["there is no session `nobody`"]);
    let listed = desk.run(&["sessions"]).expect(0).stdout;
    assert!(listed.starts_with("a  cells  1 ended  just now  "), "{listed}");
}

#[test]
fn a_read_of_a_file_goes_on_in_servers_that_others_wrote() {
    let desk = Desk::new();
    let folder = desk.path().canonicalize().unwrap();
    let slow = folder.join("slow.txt");
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let reader = || OpenOptions::new().write(true).open(&slow).unwrap();
    pipe(&slow);
    let servers = json!({ "mcpServers": {
        "files": { "command": "node", "args": [npm("server-filesystem"), folder] },
        "e": { "command": "node", "args": [npm("server-everything")] },
    } });
    desk.write("mcp.json", servers.to_string());
    let cell = "const said = (call) => call.then((it) => (text(it.content ?? it), it.content ?? it));
        const both = [said(tools.files__read_text_file({ path: SLOW })), said(tools.e__echo({ message: 'quick' }))];
        text((await Promise.all(both)).join(' and '));";
    desk.write("cell.js", cell.replace("SLOW", &json!(slow).to_string()));
    let mut child = desk.spawn(&["run", "--session", "files", "cell.js"]);
    assert_eq!(line(&mut BufReader::new(child.stdout.as_mut().unwrap())), "Echo: quick");
    // The call has arrived when the server has the file open.
    let first = reader();
    child.kill().unwrap();
    child.wait().unwrap();
    // The server that reads it still, for a moment, does not meet the next one.
    pipe(&folder.join("next"));
    std::fs::rename(folder.join("next"), &slow).unwrap();
    drop(first);
    let resumed = desk.spawn(&["resume", "files"]);
    reader().write_all(b"at last").unwrap();
    let ran = Ran::from(resumed.wait_with_output().unwrap()).expect(0);
    let shown = ran.stdout.strip_suffix("at last\nat last and Echo: quick\n").unwrap();
    assert!(["", "Echo: quick\n"].contains(&shown), "{shown:?}");
}

#[test]
fn a_session_stays_under_its_policy() {
    let bench = Bench::new();
    let desk = &bench.desk;
    let policy =
        "default = \"allow\"\n[[rule]]\ntools = \"s__write\"\ndecision = \"deny\"\nreason = \"no\"\n";
    let path = desk.write("policy.toml", policy);
    let attempt = "text(await tools.s__write({ n: 1 }).catch((error) => error.code))";
    let run = |args: &[&str]| desk.run(&[&["run", "--session", "p", "-e", attempt], args].concat());
    assert_eq!(run(&["--mcp", "mcp.json", "--policy", "policy.toml"]).expect(0).stdout, "denied\n");
    assert_eq!(run(&[]).expect(0).stdout, "denied\n");

    // What is said beside it counts for it, and where there is none, nothing does.
    assert_eq!(run(&["--unattended", "deny"]).expect(0).stdout, "denied\n");
    desk.run(&["run", "-e", "1", "--approve", "s__*"]).expect(2).says(&["`--approve`", "no policy"]);

    // So is a cell that goes on, and one whose policy is gone does not.
    let cell = format!("await tools.s__read({{ n: 2 }}); {attempt}");
    let mut child = desk.spawn(&["run", "--session", "p", "-e", &cell]);
    drop(bench.calls(1));
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::rename(&path, desk.path().join("elsewhere.toml")).unwrap();
    desk.run(&["resume", "p"]).expect(2).says(&["policy.toml"]);
    let resumed = desk.spawn(&["resume", "p", "--policy", "elsewhere.toml"]);
    bench.calls(1).pop().unwrap().answer("read");
    assert_eq!(Ran::from(resumed.wait_with_output().unwrap()).expect(0).stdout, "denied\n");
}

#[test]
fn what_a_cell_showed_and_nobody_saw_is_shown_by_resume_and_goes_with_an_export() {
    let bench = Bench::new();
    let desk = &bench.desk;
    // More than a pipe holds, so that the program stands still in the middle of writing it, while the cell goes on.
    desk.write("cell.js", "text('x'.repeat(1 << 20)); await tools.s__read({ n: 1 }); text('last'); null.x");
    let mut child = desk.spawn(&["run", "--session", "seen", "cell.js"]);
    bench.calls(1).pop().unwrap().answer("one");
    while bench.sessions()[0]["running"] != 0 {}
    assert_eq!(bench.sessions()[0]["unread"], 1);
    child.kill().unwrap();
    child.wait().unwrap();
    desk.run(&["store", "export", "seen", "-o", "seen.carrel"]).expect(0).says(&["exported 1 session"]);
    let resumed = desk.run(&["resume", "seen"]).expect(1);
    assert_eq!(resumed.stdout, format!("{}\nlast\n", "x".repeat(1 << 20)));
    resumed.says(&["TypeError", "cell-1:1:"]);
    desk.run(&["resume", "seen"]).expect(0).says(&["nothing that was not shown"]);

    // Elsewhere it is as it was when it was exported.
    let elsewhere = Desk::new();
    let file = desk.path().join("seen.carrel");
    elsewhere.run(&["store", "import", file.to_str().unwrap()]).expect(0);
    assert!(elsewhere.run(&["resume", "seen"]).expect(1).stdout.ends_with("x\nlast\n"));
}
