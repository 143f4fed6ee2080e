//! The sandbox that a host is really in. What it holds back is tried in `crates/host/tests/sandbox.rs`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use carrel_contract::{CellResponse, ExecuteRequest, TerminationReason};
use carrel_host::ProcessProvider;
use rustix::process::Signal;

use crate::harness::{LONG, Tools, hosts, options, run, session, signal_hosts};

/// A host that was started by hand, in a folder, with an environment.
struct Host(Child);

impl Host {
    fn start(folder: &std::path::Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_carrel"))
            .args(["host", "--listen", "unix:here"])
            .args(args)
            .current_dir(folder)
            .env("SECRET", "secret")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "listening on unix:here\n");
        Self(child)
    }

    fn of(&self, what: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{what}", self.0.id())).unwrap()
    }

    fn has(&self, field: &str) -> String {
        let status = self.of("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap().trim().to_owned()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_host_has_no_environment_no_core_and_a_filter_on_every_thread() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path(), &["--store", "kept/carrel.db"]);
    assert_eq!(host.of("environ"), "");
    assert_eq!((host.has("Seccomp"), host.has("NoNewPrivs")), ("2".to_owned(), "1".to_owned()));
    for thread in fs::read_dir(format!("/proc/{}/task", host.0.id())).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
    }
    // Root's two; nobody else has any.
    let capabilities = u64::from_str_radix(&host.has("CapPrm"), 16).unwrap();
    assert_eq!(capabilities & !0b11, 0);
    let core =
        host.of("limits").lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    let cwd = fs::read_link(format!("/proc/{}/cwd", host.0.id())).unwrap();
    assert_eq!(cwd, folder.path().canonicalize().unwrap().join("kept"));
    assert!(folder.path().join("kept/carrel.db").is_file());
}

#[test]
fn a_host_without_a_sandbox_is_asked_for_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path(), &["--sandbox", "off"]);
    assert!(host.of("environ").contains("SECRET=secret"));
    assert_eq!(host.has("Seccomp"), "0");
}

#[test]
fn a_host_that_needs_the_whole_sandbox_serves_only_with_it() {
    let try_with = |how| {
        let args = ["host", "--try-sandbox", "--sandbox", how];
        Command::new(env!("CARGO_BIN_EXE_carrel")).args(args).output().unwrap()
    };
    let best = try_with("best-effort");
    let level = String::from_utf8_lossy(&best.stdout).trim().to_owned();
    assert!(best.status.success() && !level.contains("seccomp"), "a cell runs in it: {best:?}");
    let required = try_with("required");
    let expected = if level == "full" { 0 } else { 5 };
    assert_eq!(required.status.code(), Some(expected), "{required:?}");
    assert_eq!(best.stderr.is_empty(), level == "full", "{best:?}");
    assert_eq!(String::from_utf8_lossy(&try_with("off").stdout), "off\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_its_sandbox_ended_is_replaced_and_the_loss_says_so() {
    let provider = ProcessProvider::new(options()).unwrap();
    let session = session(&provider, &Arc::new(Tools::echo())).await;
    let request =
        ExecuteRequest::new("await new Promise((done) => setTimeout(done, 1e9))").with_yield_time(LONG);
    let started = session.execute(request).await.unwrap();
    assert_eq!(hosts().len(), 1);
    // As the kernel does for a system call that is not allowed.
    signal_hosts(Signal::SYS);
    let response = started.first_response.await.unwrap();
    let CellResponse::Terminated(done) = &response else { panic!("it is lost: {response:?}") };
    let TerminationReason::HostLost { detail } = &done.reason else { panic!("{:?}", done.reason) };
    assert!(detail.contains("sandbox"), "{detail}");
    assert_eq!(run(&session, "text('on')").await.text(), "on");
}
