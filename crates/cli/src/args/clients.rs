//! What reads and writes the configurations of MCP clients.

use std::path::PathBuf;

use carrel_tools::import::Client;
use clap::{Args, ValueEnum};

/// The arguments of `import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Whose configurations are read; may be given several times [default: all].
    #[arg(long, value_name = "CLIENT")]
    pub(crate) from: Vec<From>,

    /// The project whose own configurations are read, too [default: the current directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,

    /// Write the configuration to this file, instead of only showing it.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,

    /// Replace the file when there is one.
    #[arg(long, requires = "write")]
    pub(crate) force: bool,
}

/// A client to import from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// All of them.
    All,
    /// Claude Code.
    Claude,
    /// Claude Desktop.
    ClaudeDesktop,
    /// Cursor.
    Cursor,
    /// Codex.
    Codex,
    /// VS Code.
    Vscode,
}

impl From {
    /// Returns the client; `None` for all.
    pub(crate) fn client(self) -> Option<Client> {
        Some(match self {
            Self::All => return None,
            Self::Claude => Client::Claude,
            Self::ClaudeDesktop => Client::ClaudeDesktop,
            Self::Cursor => Client::Cursor,
            Self::Codex => Client::Codex,
            Self::Vscode => Client::VsCode,
        })
    }
}

/// The arguments of `install` and `uninstall`.
#[derive(Args, Debug)]
pub(crate) struct InstallArgs {
    /// The clients.
    #[arg(value_name = "CLIENT", required = true)]
    pub(crate) clients: Vec<Target>,

    /// What a project has, instead of what you have everywhere; the current directory's, if none is named.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = ".")]
    pub(crate) project: Option<PathBuf>,

    /// Change it without asking.
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Show what would change, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

/// A client to install into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Claude Code.
    Claude,
    /// Claude Desktop.
    ClaudeDesktop,
    /// Cursor.
    Cursor,
    /// Codex.
    Codex,
    /// VS Code.
    Vscode,
}

impl Target {
    /// Returns the client.
    pub(crate) fn client(self) -> Client {
        match self {
            Self::Claude => Client::Claude,
            Self::ClaudeDesktop => Client::ClaudeDesktop,
            Self::Cursor => Client::Cursor,
            Self::Codex => Client::Codex,
            Self::Vscode => Client::VsCode,
        }
    }
}
