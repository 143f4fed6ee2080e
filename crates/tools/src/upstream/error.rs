//! Why a server could not be connected to. Texts that came from the server are bounded and redacted.

use std::fmt;
use std::time::Duration;

use crate::config::UnsupportedTransport;
use crate::openapi::OpenApiError;

/// A server that could not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("{} `{server}`: {error}", attempt(.error))]
pub struct ConnectFailure {
    /// The server's name.
    pub server: String,
    /// What went wrong.
    #[source]
    pub error: ConnectError,
}

/// Why a server could not be connected to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// It wants a transport that Carrel does not speak.
    #[error(transparent)]
    Transport(#[from] UnsupportedTransport),
    /// There is no such program.
    #[error(transparent)]
    CommandNotFound(#[from] CommandNotFound),
    /// The working directory is not there.
    #[error(transparent)]
    MissingDirectory(#[from] MissingDirectory),
    /// The program could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnFailed),
    /// The process ended before it was connected.
    #[error(transparent)]
    Exited(#[from] ServerExited),
    /// It took too long.
    #[error(transparent)]
    TimedOut(#[from] ConnectTimedOut),
    /// Nothing answers at its address.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// It answered with an HTTP status that refuses.
    #[error(transparent)]
    Rejected(#[from] HttpRejected),
    /// It answered with something the protocol does not allow.
    #[error(transparent)]
    Protocol(#[from] ProtocolFailure),
    /// Something else goes by its name.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// An OpenAPI document gives no tools.
    #[error(transparent)]
    OpenApi(#[from] OpenApiError),
}

/// A source of tools with the name of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server or another source of tools has the same name; rename one")]
pub struct NameTaken;

impl ConnectError {
    /// Says what went wrong without the server's address, which is its owner's business and not a model's.
    pub(super) fn without_address(&self) -> String {
        match self {
            Self::Unreachable(error) => format!("nothing answers: {}", error.reason),
            Self::Rejected(error) => format!("it answered with HTTP status {}", error.status),
            other => other.to_string(),
        }
    }
}

/// A program that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command `{command}` was not found{}{}", if .command.contains('/') { "" } else { " in PATH" }, command_hint(.command))]
pub struct CommandNotFound {
    /// The command, as configured.
    pub command: String,
}

/// A working directory that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its working directory `{cwd}` does not exist")]
pub struct MissingDirectory {
    /// The directory, as configured.
    pub cwd: String,
}

/// A program that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the command `{command}` could not be started: {source}")]
pub struct SpawnFailed {
    /// The command, as configured.
    pub command: String,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// A process that ended before it was connected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the process {ending} before it was ready{said}")]
pub struct ServerExited {
    /// How it ended: `exited with status 3`.
    pub ending: String,
    /// What it had said.
    pub said: LastWords,
}

/// A server that took too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer to `{request}` within {after:?}{said}")]
pub struct ConnectTimedOut {
    /// The request it did not answer in time.
    pub request: &'static str,
    /// The time the whole connecting had.
    pub after: Duration,
    /// What it had said.
    pub said: LastWords,
}

/// An address at which nothing answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing answers at {url}: {reason}")]
pub struct Unreachable {
    /// The address, as configured.
    pub url: String,
    /// Why.
    pub reason: String,
}

/// A server that refused by an HTTP status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url} answered with HTTP status {status}{}", status_hint(*.status, .server))]
pub struct HttpRejected {
    /// The address, as configured.
    pub url: String,
    /// The status.
    pub status: u16,
    /// The server's name.
    pub server: String,
}

/// A server that does not keep to the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{request}` failed: {reason}{said}")]
pub struct ProtocolFailure {
    /// The request that failed.
    pub request: &'static str,
    /// What it answered.
    pub reason: String,
    /// What it had said.
    pub said: LastWords,
}

/// What a child process said of itself, bounded and redacted. Shown as lines that can follow a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastWords {
    /// The end of what it wrote to stderr, up to 8 KiB.
    pub stderr: String,
    /// The first line it wrote to stdout that is not a message, and how many such lines there were.
    pub noise: Option<(String, u64)>,
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((first, lines)) = &self.noise {
            let lines = if *lines == 1 { "a line".to_owned() } else { format!("{lines} lines") };
            write!(f, "; it wrote {lines} to stdout that no MCP server may write, first: {first:?}")?;
        }
        if !self.stderr.trim().is_empty() {
            f.write_str("; its last words on stderr:")?;
            for line in self.stderr.trim().lines() {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

/// Says what failed.
fn attempt(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::NameTaken(_) => "add the tools of",
        ConnectError::OpenApi(_) => "read the OpenAPI document of",
        _ => "connect to MCP server",
    }
}

/// Says what a command that is not there may have been meant to be. A shell would have understood it.
fn command_hint(command: &str) -> &'static str {
    if command.starts_with('~') {
        "; `~` is not expanded: write ${HOME}"
    } else if command.contains(char::is_whitespace) {
        "; it names the program alone: what follows goes into `args`"
    } else {
        ""
    }
}

fn status_hint(status: u16, server: &str) -> String {
    let hint = match status {
        401 => {
            return format!(
                ": it wants to know who asks: run `carrel login {server}`, or set credentials under `headers`, as in \
                 \"Authorization\": \"Bearer ${{TOKEN}}\""
            );
        }
        403 => ": the credentials under `headers` do not allow this",
        404 | 405 => ": there is no MCP server under this path; most serve it under /mcp",
        _ => "",
    };
    hint.to_owned()
}
