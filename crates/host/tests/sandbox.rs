//! A host in its sandbox can do nothing of what it must not, which outside of it could be done.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use tempfile::TempDir;

/// What is tried by opening files. A host with a journal is refused it by Landlock, one without by the filter.
const FILES: [&str; 7] = [
    "read a file",
    "list a folder",
    "list processes",
    "write a file",
    "make a file",
    "truncate a file",
    "read the parent's environment",
];
/// What a host was started with.
const PAST: [&str; 3] =
    ["read the environment", "use a descriptor left open", "find the folder it was started in"];
/// What no host has, and may be tried by anybody.
const NEVER: [&str; 13] = [
    "make a folder in the journal's",
    "make a link in the journal's folder",
    "connect",
    "bind a port",
    "send a datagram",
    "connect to a socket",
    "fork",
    "start a program",
    "become a program",
    "signal the parent",
    "signal a thread of the parent",
    "be traced",
    "make memory executable",
];
/// The same, where it depends on rights and on the kernel whether it can be done without a sandbox.
const NEVER_WITH_RIGHTS: [&str; 11] = [
    "raise its limits",
    "mount",
    "be another user",
    "change the root",
    "enter a namespace",
    "open the parent",
    "submit work to a ring",
    "load a program into the kernel",
    "handle faults",
    "count events",
    "look for keys",
];

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Done,
    Refused,
    /// By the filter of system calls.
    Killed,
    Aborted,
}

/// What is tried is done to this.
struct World {
    folder: TempDir,
    outside: TempDir,
    listener: TcpListener,
    _socket: UnixListener,
}

impl World {
    fn new() -> Self {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            _socket: UnixListener::bind(outside.path().join("socket")).unwrap(),
            outside,
        }
    }

    /// Tries an action in a process of its own, which is started with an environment, a folder, and a descriptor 9.
    fn try_in(&self, stage: &str, action: &str) -> (Ended, String) {
        let output = Command::new("/bin/sh")
            .args([
                "-c",
                "exec \"$0\" \"$@\" 9</dev/null",
                env!("CARGO_BIN_EXE_carrel-sandbox-probe"),
                stage,
                action,
            ])
            .args([self.folder.path(), self.outside.path()])
            .arg(self.listener.local_addr().unwrap().port().to_string())
            .current_dir(self.outside.path())
            .env("SECRET", "secret")
            .output()
            .unwrap();
        let level = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(!level.is_empty(), "{stage}, {action}: it entered: {output:?}");
        let ended = match (output.status.code(), output.status.signal()) {
            (Some(0), None) => Ended::Done,
            (Some(1), None) => Ended::Refused,
            (None, Some(libc::SIGSYS)) => Ended::Killed,
            (None, Some(libc::SIGABRT)) => Ended::Aborted,
            _ => panic!("{stage}, {action}: {output:?}"),
        };
        (ended, level)
    }

    fn ends(&self, stage: &str, action: &str) -> Ended {
        self.try_in(stage, action).0
    }

    /// Tells whether this kernel has a part of the sandbox. One without the filter of system calls is none for tests.
    fn has(&self, part: &str) -> bool {
        let (ended, level) = self.try_in("journaled", "work");
        assert_eq!(ended, Ended::Done);
        assert!(level != "none" && !level.contains("seccomp"), "no filter of system calls: {level}");
        !level.contains(part)
    }
}

#[test]
fn without_a_sandbox_everything_that_is_tried_can_be_done() {
    let world = World::new();
    for action in FILES.into_iter().chain(PAST).chain(NEVER) {
        assert_eq!(world.ends("free", action), Ended::Done, "{action}");
    }
    for action in NEVER_WITH_RIGHTS {
        assert_ne!(world.ends("free", action), Ended::Killed, "{action}");
    }
}

#[test]
fn a_host_in_memory_is_killed_for_whatever_it_must_not_do() {
    let world = World::new();
    world.has("seccomp");
    for action in NEVER.into_iter().chain(NEVER_WITH_RIGHTS) {
        assert_eq!(world.ends("sealed", action), Ended::Killed, "{action}");
    }
    for action in FILES.into_iter().chain(["read the environment", "use a descriptor left open"]) {
        assert_eq!(world.ends("sealed", action), Ended::Refused, "{action}");
    }
    assert_eq!(world.ends("sealed", "find the folder it was started in"), Ended::Killed);
}

#[test]
fn a_host_with_a_journal_has_its_folder_and_nothing_else() {
    let world = World::new();
    let has_landlock = world.has("files (Landlock)");
    for action in FILES {
        let expected = if has_landlock { Ended::Refused } else { Ended::Done };
        assert_eq!(world.ends("journaled", action), expected, "{action}");
    }
    for action in NEVER.into_iter().chain(NEVER_WITH_RIGHTS) {
        assert_eq!(world.ends("journaled", action), Ended::Killed, "{action}");
    }
    for action in PAST {
        assert_eq!(world.ends("journaled", action), Ended::Refused, "{action}");
    }
}

#[test]
fn landlock_alone_holds_what_it_knows_of() {
    let world = World::new();
    let parts = [
        ("files (Landlock)", &FILES[..]),
        ("files (Landlock)", &NEVER[..2]),
        ("TCP", &["connect", "bind a port"]),
        ("signals", &["signal the parent"]),
    ];
    for (part, actions) in parts {
        let expected = if world.has(part) { Ended::Refused } else { Ended::Done };
        for action in actions {
            assert_eq!(world.ends("confined", action), expected, "{action}");
        }
    }
}

#[test]
fn what_a_host_does_it_can_do() {
    let world = World::new();
    for stage in ["sealed", "journaled"] {
        assert_eq!(world.ends(stage, "work"), Ended::Done, "{stage}");
        assert_eq!(world.ends(stage, "abort"), Ended::Aborted, "{stage}");
    }
    for action in ["keep a journal", "look whether a process is there"] {
        assert_eq!(world.ends("journaled", action), Ended::Done, "{action}");
        assert_eq!(world.ends("sealed", action), Ended::Refused, "{action}");
    }
}
