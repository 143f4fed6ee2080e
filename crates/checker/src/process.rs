//! The compiler's process: what it is started with, and what bounds it.
//!
//! It ends when its input is closed, even in the middle of a check, so it does not outlive Carrel, however that ends.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::compiler::Compiler;
use crate::files::QUESTIONS;

/// What it takes for the folder it is in; nothing is there.
const FOLDER: &str = "/carrel";

/// A running compiler. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct CompilerProcess {
    pub(crate) child: Child,
}

/// The ends of its standard streams.
pub(crate) struct Streams {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

impl CompilerProcess {
    /// Starts it. It collects its garbage harder from three quarters of `memory_bytes` on and, on Linux, dies beyond.
    pub(crate) fn start(compiler: &Compiler, memory_bytes: u64) -> std::io::Result<(Self, Streams)> {
        let mut command = Command::new(compiler.program());
        command
            .args(["--api", "--async", "--cwd", FOLDER])
            .arg(format!("--callbacks={QUESTIONS}"))
            .env_clear()
            .env("GOMEMLIMIT", (memory_bytes / 4 * 3).to_string())
            .envs(std::env::var_os("SystemRoot").map(|root| (OsStr::new("SystemRoot"), root)))
            .current_dir(compiler.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        if let Some(pid) = child.id() {
            limit_memory(pid, memory_bytes);
        }
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => {
                Ok((Self { child }, Streams { stdin, stdout, stderr }))
            }
            _ => Err(std::io::Error::other("its standard streams are missing")),
        }
    }
}

#[cfg(target_os = "linux")]
fn limit_memory(pid: u32, bytes: u64) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Where a sandbox forbids it, the time limit bounds what a check can allocate.
    let _limited = prlimit(pid, Resource::Data, limit);
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_pid: u32, _bytes: u64) {}

/// Returns the memory that a process holds, in bytes; `None` where that is not known.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}
