//! Cells in a process of their own: what becomes of them, and of that process, when it dies, when the program dies, and
//! when the program ends.

use std::fs;
use std::io::{BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use carrel_journal::{Sqlite, Store as _};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};

use crate::harness::{Desk, Ran};
use crate::mcp::Server;
use crate::sessions::{Bench, kill, line};

/// Returns the host of a program that has one.
fn host(parent: u32) -> Pid {
    let mut hosts = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let words = fs::read(entry.path().join("cmdline")).ok()?;
        let is_host = words.split(|byte| *byte == 0).nth(1)? == b"host";
        let (state, of) = state(pid)?;
        (is_host && of == parent && !"ZX".contains(state)).then(|| Pid::from_raw(pid)).flatten()
    });
    let host = hosts.next().unwrap();
    assert_eq!(hosts.next(), None);
    host
}

/// Returns a process's state and its parent.
fn state(pid: i32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn is_running(pid: Pid) -> bool {
    state(pid.as_raw_nonzero().get()).is_some_and(|(state, _)| !"ZX".contains(state))
}

fn kill_now(pid: Pid) {
    kill_process(pid, Signal::KILL).unwrap();
}

/// Fails when somebody still has one of the sessions that are kept.
fn all_are_free(desk: &Desk) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Sqlite::open(desk.path().join("data/store/carrel.db")).unwrap();
        let sessions = store.list(None, 10).await.unwrap();
        assert!(!sessions.is_empty());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        for session in sessions {
            let lease = store.lease(&session).await.unwrap();
            assert!(
                lease.as_ref().is_none_or(|lease| i128::from(lease.until_us) <= now.cast_signed()),
                "{lease:?}"
            );
        }
    });
}

const CELL: &str = "text('begun'); text(await tools.s__read({ n: 1 })); text('ended')";

/// A command whose cell is run by a host.
fn apart<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--isolation", "process", "--mcp", "mcp.json"]].concat()
}

/// Has the files of a process grow no further than this.
fn let_files_grow_to(process: Pid, bytes: Option<u64>) {
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(Some(process), Resource::Fsize, limit).unwrap();
}

#[test]
fn a_server_whose_disk_was_full_goes_on_once_there_is_room() {
    let desk = Desk::new();
    desk.write("mcp.json", r#"{"mcpServers":{}}"#);
    for isolation in ["process", "none"] {
        // Without the signal, a write over the limit fails.
        let mut command = desk.command(&[]);
        let program = command.get_program().to_owned();
        command = {
            let mut shell = Command::new("sh");
            shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(program);
            shell.args(["mcp", "--config", "mcp.json", "--http", "127.0.0.1:0", "--isolation", isolation]);
            shell.current_dir(desk.path()).env("CARREL_DATA", desk.path().join("data"));
            shell
        };
        let server = Server::of(command, None);
        let ask = |arguments: Value| server.ask("exec", &arguments, &desk);
        let begun = ask(json!({ "code": "store('k', 7); text('kept')" }));
        let session = &begun["structured"]["session_id"];
        let writer = match isolation {
            "process" => host(server.pid()),
            _ => Pid::from_raw(server.pid().cast_signed()).unwrap(),
        };
        let again = || ask(json!({ "code": "text(load('k'))", "session_id": session }));
        let_files_grow_to(writer, Some(1024));
        let refused = again();
        assert_eq!(refused["error"], true, "{refused}");
        assert!(refused["text"].as_str().unwrap().contains("CR0018"), "{refused}");
        let_files_grow_to(writer, None);
        let shown = loop {
            let answer = again();
            if answer["error"] == false {
                break answer["structured"]["output"].clone();
            }
            assert!(answer["text"].as_str().unwrap().contains("CR0018"), "{answer}");
        };
        assert_eq!(shown, "7\n", "with isolation {isolation}");
        assert!(is_running(writer), "it is the same process");
    }
}

#[test]
fn a_program_that_ends_leaves_no_process_and_sessions_that_are_free() {
    let bench = Bench::new();
    for (signal, code) in [(None, 0), (Some("-TERM"), 143)] {
        let child = bench.desk.spawn(&apart(&["run", "--session", "work", "-e", CELL]));
        let call = bench.calls(1).pop().unwrap();
        let host = host(child.id());
        match signal {
            None => call.answer("one"),
            Some(signal) => kill(&child, signal),
        }
        Ran::from(child.wait_with_output().unwrap()).expect(code);
        assert!(!is_running(host), "after {signal:?}");
        all_are_free(&bench.desk);
    }
    let resumed = bench.desk.spawn(&["resume", "work"]);
    bench.calls(1).pop().unwrap().answer("one");
    let ran = Ran::from(resumed.wait_with_output().unwrap()).expect(0);
    assert!(ran.stdout.ends_with("one\nended\n"), "{}", ran.stdout);
}

#[test]
fn a_kept_cell_goes_on_in_another_host_and_its_program_shows_all_of_it_once() {
    let bench = Bench::new();
    let mut child = bench.desk.spawn(&apart(&["run", "--session", "work", "-e", CELL]));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut stdout), "begun");
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(bench.calls(1).pop().unwrap().key);
        kill_now(host(child.id()));
    }
    let again = bench.calls(1).pop().unwrap();
    assert_eq!(keys, [&*again.key; 3]);
    again.answer("one");
    assert_eq!([line(&mut stdout), line(&mut stdout), line(&mut stdout)], ["one", "ended", ""]);
    Ran::from(child.wait_with_output().unwrap()).expect(0).says(&["1 call made again"]);
    all_are_free(&bench.desk);
}

#[test]
fn a_session_is_free_as_soon_as_its_program_was_killed() {
    let bench = Bench::new();
    let mut child = bench.desk.spawn(&apart(&["run", "--session", "work", "-e", CELL]));
    for _ in 0..4 {
        let _under_way = bench.calls(1);
        // Its host is killed by that, too, but a little later.
        child.kill().unwrap();
        child.wait().unwrap();
        child = bench.desk.spawn(&apart(&["resume", "work"]));
    }
    bench.calls(1).pop().unwrap().answer("one");
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(0);
    assert!(ran.stdout.ends_with("one\nended\n"), "{}", ran.stdout);
}

#[test]
fn a_repl_says_what_its_host_took_along_and_goes_on() {
    let desk = Desk::new();
    let mut child = desk.command(&["repl", "--no-mcp"]);
    let mut child =
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let waits = "text('waits'); await new Promise((done) => setTimeout(done, 1e9))";
    writeln!(stdin, "const kept = 1\n{waits}").unwrap();
    assert_eq!(line(&mut stdout), "waits");
    kill_now(host(child.id()));
    writeln!(stdin, "typeof kept").unwrap();
    assert_eq!(line(&mut stdout), "\"undefined\"");
    let second = host(child.id());
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(1);
    assert!(!is_running(second));
    ran.says(&["its process was ended by signal 9"]);
}

#[test]
fn a_cell_of_an_mcp_client_goes_on_in_another_host_though_nobody_waits_for_it() {
    let bench = Bench::new();
    let desk = &bench.desk;
    let server = Server::start(desk, None);
    let exec = json!({ "code": format!("{CELL}; export default 'done'"), "yield_time_ms": 0 });
    let begun = server.ask("exec", &exec, desk)["structured"].take();
    assert_eq!(begun["status"], "running", "{begun}");
    let first = bench.calls(1).pop().unwrap();
    let lost = host(server.pid());
    kill_now(lost);
    let again = bench.calls(1).pop().unwrap();
    assert_eq!((&again.name, &again.key), (&first.name, &first.key));
    again.answer("one");
    let wait = json!({ "session_id": begun["session_id"], "cell_id": begun["cell_id"] });
    let ended = server.ask("wait", &wait, desk)["structured"]["cells"][0].take();
    assert_eq!((&ended["status"], &ended["result"]), (&json!("completed"), &json!("done")), "{ended}");
    assert!(ended["output"].as_str().unwrap().ends_with("one\nended\n"), "{ended}");
    assert!(ended["notes"].to_string().contains("goes on where it was"), "{ended}");
    let second = host(server.pid());
    assert!(second != lost);
    server.leave();
    assert!(!is_running(second));
    all_are_free(desk);
}

#[test]
fn a_question_that_waits_when_a_host_dies_is_asked_again() {
    let bench = Bench::new();
    let desk = &bench.desk;
    desk.write("policy.toml", "default = \"allow\"\n[[rule]]\ntools = \"s__write\"\ndecision = \"ask\"\n");
    let server = Server::with(desk, &["--policy", "policy.toml"], None);
    let code = "export default await tools.s__write({ n: 1 }).then(() => 'made', (error) => error.code)";
    let begun = server.ask("exec", &json!({ "code": code, "yield_time_ms": 0 }), desk)["structured"].take();
    let wait = json!({ "session_id": begun["session_id"], "cell_id": begun["cell_id"] });
    let question = |but: &str| loop {
        let waits = desk.run(&["approve"]).expect(0).stdout;
        let named =
            waits.lines().find_map(|line| line.split_once("  allow s__write({")).map(|it| it.0.trim());
        if let Some(named) = named.filter(|named| *named != but) {
            return named.to_owned();
        }
    };
    let first = question("");
    kill_now(host(server.pid()));
    let second = question(&first);
    desk.run(&["approve", "--deny", &first]).expect(1).says(&["does not wait"]);
    desk.run(&["approve", "--deny", &second]).expect(0);
    let ended = server.ask("wait", &wait, desk)["structured"]["cells"][0].take();
    assert_eq!(ended["result"], "denied", "{ended}");
    assert_ne!(ended["notes"], Value::Null);
}

#[test]
fn without_isolation_there_is_no_other_process() {
    let bench = Bench::new();
    let server = Server::with(&bench.desk, &["--isolation", "none"], None);
    let exec = json!({ "code": CELL, "yield_time_ms": 0 });
    server.ask("exec", &exec, &bench.desk);
    let _under_way = bench.calls(1);
    let hosts = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| state(entry.ok()?.file_name().to_str()?.parse().ok()?));
    // The server of the tools alone.
    assert_eq!(hosts.filter(|(_, of)| *of == server.pid()).count(), 1);
}
