//! A server's child process: started with what it may know, ended with everything it started.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::error::{CommandNotFound, ConnectError, MissingDirectory, SpawnFailed};
use super::group::Group;
use crate::config::StdioConfig;

/// A running child process. Dropping it kills it and its process group.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    group: Group,
}

/// The ends of its standard streams.
pub(super) struct Streams {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl ServerProcess {
    /// Starts the server of `config`. Its environment is what the configuration says and nothing else.
    pub(super) fn start(config: &StdioConfig) -> Result<(Self, Streams), ConnectError> {
        if let Some(cwd) = config.cwd.as_ref().filter(|cwd| !Path::new(cwd.expose()).is_dir()) {
            return Err(MissingDirectory { cwd: cwd.to_string() }.into());
        }
        let mut command = Command::new(config.command.expose());
        command
            .args(config.args.iter().map(crate::config::Secret::expose))
            .env_clear()
            .envs(config.inherited.iter().map(|(name, value)| (name, value)))
            .envs(config.env.iter().map(|(name, value)| (name, value.expose())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(cwd) = &config.cwd {
            command.current_dir(cwd.expose());
        }
        Group::prepare(&mut command);
        let failed = |source: std::io::Error| -> ConnectError {
            let command = config.command.to_string();
            if source.kind() == std::io::ErrorKind::NotFound {
                CommandNotFound { command }.into()
            } else {
                SpawnFailed { command, source }.into()
            }
        };
        let mut child = command.spawn().map_err(failed)?;
        let group = Group::of(&child);
        let streams = match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Streams { stdin, stdout, stderr },
            _ => return Err(failed(std::io::Error::other("its standard streams are missing"))),
        };
        Ok((Self { child, group }, streams))
    }

    /// Waits until the process has ended. Cancel safe.
    pub(super) async fn ended(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Asks the process and all it started to end.
    pub(super) fn terminate(&self) {
        self.group.terminate();
    }

    /// Ends the process and all it started.
    pub(super) fn kill(&mut self) {
        self.group.kill();
        // It fails when the process has ended already.
        let _ended = self.child.start_kill();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says how a process ended, as in "the process …".
pub(super) fn ending(status: Option<ExitStatus>) -> String {
    match status {
        None => "closed its output".to_owned(),
        Some(status) => match status.code() {
            Some(code) => format!("exited with status {code}"),
            None => format!("was ended by {status}"),
        },
    }
}
