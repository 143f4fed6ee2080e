//! Runs the program in a folder of its own and collects what it did.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to run in, gone at the end of the test.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Makes a desk whose `mcp.json` names the example server as `orders`.
    pub(crate) fn with_orders() -> Self {
        let desk = Self::new();
        std::fs::copy(repository().join("examples/mcp.json"), desk.path().join("mcp.json")).unwrap();
        desk
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carrel"));
        command
            .args(args)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .env("CARREL_KEYRING", "off")
            .env("CARREL_DATA", self.path().join("data"));
        command
    }

    /// The program with all streams on a terminal, which `script` lends; `args` as a shell reads them.
    pub(crate) fn at_a_terminal(&self, args: &str) -> Command {
        // In the shell's place: one that waits for the program would take each Ctrl-C for itself, too.
        let program = format!("exec {} {args}", env!("CARGO_BIN_EXE_carrel"));
        let mut command = Command::new("script");
        command
            .args(["--quiet", "--return", "--command", &program, "/dev/null"])
            .current_dir(self.path())
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .env("CARREL_DATA", self.path().join("data"));
        command
    }

    /// Starts the program with pipes on all three streams.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).stdin(Stdio::null()).output().unwrap().into()
    }

    /// Runs the program with something on standard input.
    pub(crate) fn run_with_stdin(&self, args: &[&str], stdin: &[u8]) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Runs one cell.
    pub(crate) fn eval(&self, code: &str) -> Ran {
        self.run(&["run", "-e", code])
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Fails the test with all there is to see when the code is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test when standard error lacks one of these.
    #[track_caller]
    pub(crate) fn says(self, what: &[&str]) -> Self {
        for what in what {
            assert!(self.stderr.contains(what), "no {what:?} on stderr:\n{}", self.stderr);
        }
        self
    }
}

/// Returns the folder of the workspace.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
