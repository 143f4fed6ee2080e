//! What looks after the tools behind Carrel.

use std::path::PathBuf;

use carrel_catalogue::prompt::DEFAULT_BUDGET_TOKENS;
use clap::{Args, Subcommand};

/// The arguments of `tools`.
#[derive(Args, Debug)]
pub(crate) struct ToolsArgs {
    /// MCP servers and OpenAPI documents, as JSON or TOML; may be given several times [default: ./carrel.toml, else
    /// ./mcp.json].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,

    /// Print the declaration of this tool, the TypeScript that a model reads; may be given several times.
    #[arg(long, value_name = "NAME", conflicts_with = "json")]
    pub(crate) describe: Vec<String>,

    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the catalogue as text for a model's prompt: every tool in a line at least, in more detail while the budget
    /// lasts.
    #[arg(long, conflicts_with_all = ["json", "describe"])]
    pub(crate) prompt: bool,

    /// How long the text for a prompt may be, in tokens of 4 bytes.
    #[arg(long, value_name = "TOKENS", requires = "prompt", default_value_t = DEFAULT_BUDGET_TOKENS)]
    pub(crate) budget: usize,
}

/// The arguments of `login`.
#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// The server, as the configuration names it.
    #[arg(value_name = "SERVER")]
    pub(crate) server: String,

    /// The configuration that has it; may be given several times [default: ./carrel.toml, else ./mcp.json].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,

    /// Print the address to open, and open no browser.
    #[arg(long)]
    pub(crate) no_browser: bool,
}

/// The arguments of `logout`.
#[derive(Args, Debug)]
pub(crate) struct LogoutArgs {
    /// The server, as the configuration names it.
    #[arg(value_name = "SERVER")]
    pub(crate) server: String,

    /// The configuration that has it; may be given several times [default: ./carrel.toml, else ./mcp.json].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,
}

/// What there is to do with a policy.
#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

/// The commands of `policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show what becomes of the calls of each tool, which rule says so, and which rules never apply.
    Check(CheckArgs),
}

/// The arguments of `policy check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The policy, as TOML.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// MCP servers, as JSON with `mcpServers`; may be given several times [default: ./mcp.json, if any].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// MCP servers and OpenAPI documents to try, as JSON or TOML; may be given several times [default: ./carrel.toml,
    /// else ./mcp.json, if any].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,
}
