//! What runs cells, and what cells may do and take.

use std::path::PathBuf;
use std::time::Duration;

use carrel_contract::{Limits, SessionName};
use carrel_tools::policy::{InvalidPattern, Pattern};
use clap::{Args, ValueEnum};

use crate::units;

/// The arguments of `run`.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunArgs {
    /// The cell, a file of JavaScript or TypeScript; `-` reads it from standard input.
    #[arg(value_name = "FILE", required_unless_present = "eval")]
    pub(crate) file: Option<PathBuf>,

    /// The cell itself, instead of a file.
    #[arg(short = 'e', long, value_name = "CODE", conflicts_with = "file", allow_hyphen_values = true)]
    pub(crate) eval: Option<String>,

    /// MCP servers and OpenAPI documents, as JSON with `mcpServers` or as TOML; may be given several times. Without
    /// it, `carrel.toml` or `mcp.json` in FILE's own folder is used when there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,

    /// Start no MCP server, even when a configuration lies beside FILE.
    #[arg(long, conflicts_with = "mcp")]
    pub(crate) no_mcp: bool,

    /// Which session the cell runs in.
    #[command(flatten)]
    pub(crate) named: NamedArgs,

    /// Where the cell runs: in this process, or in one of its own that this one watches.
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Isolation::None)]
    pub(crate) isolation: Isolation,

    /// What the cell may do.
    #[command(flatten)]
    pub(crate) guard: GuardArgs,

    /// What the cell may take.
    #[command(flatten)]
    pub(crate) cells: CellArgs,

    /// The time after which the cell is terminated, whatever it does [default: none].
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Print one JSON object at the end instead of items as they come.
    #[arg(long)]
    pub(crate) json: bool,

    /// Where images and audio are saved [default: the current directory].
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    pub(crate) image_dir: Option<PathBuf>,
}

/// The arguments of `repl`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReplArgs {
    /// MCP servers, as JSON with `mcpServers`; may be given several times [default: ./mcp.json, if any].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,

    /// Start no MCP server, even when there is a ./mcp.json.
    #[arg(long, conflicts_with = "mcp")]
    pub(crate) no_mcp: bool,

    /// Which session the cells run in.
    #[command(flatten)]
    pub(crate) named: NamedArgs,

    /// Where cells run: in this process, or in one of their own that this one watches.
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Isolation::Process)]
    pub(crate) isolation: Isolation,

    /// What each cell may do.
    #[command(flatten)]
    pub(crate) guard: GuardArgs,

    /// What each cell may take.
    #[command(flatten)]
    pub(crate) cells: CellArgs,

    /// The time after which a cell is terminated, whatever it does [default: none].
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) timeout: Option<Duration>,
}

/// Which session cells run in.
#[derive(Args, Clone, Debug)]
pub(crate) struct NamedArgs {
    /// Run in the session of this name, which is made when there is none, and keep it: what is stored stays for the next
    /// cell, and a cell whose process is lost goes on with `carrel resume NAME`.
    #[arg(long, value_name = "NAME", value_parser = SessionName::new)]
    pub(crate) session: Option<SessionName>,

    /// Keep nothing, whatever the name: the session begins empty, and ends with this program.
    #[arg(long, requires = "session")]
    pub(crate) ephemeral: bool,
}

/// What cells may do with their tools.
#[derive(Args, Clone, Debug)]
pub(crate) struct GuardArgs {
    /// What the cell may do with its tools, as TOML: see docs/policies.md. Without it every call is made.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// Allow the calls of these tools for which the policy would ask you, as `orders__*`; may be given several times.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) approve: Vec<Pattern>,

    /// What becomes of calls that you would be asked about while no terminal is there [default: as the policy says,
    /// else deny].
    #[arg(long, value_name = "WHAT")]
    pub(crate) unattended: Option<Unattended>,
}

fn pattern(text: &str) -> Result<Pattern, InvalidPattern> {
    Pattern::for_tools(text)
}

/// What becomes of calls that a person has to allow while nobody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unattended {
    /// They are refused.
    Deny,
    /// They wait.
    Wait,
}

/// What cells may take, and how they are treated.
#[derive(Args, Clone, Debug)]
pub(crate) struct CellArgs {
    /// The memory the cell may use, from 2MiB to 512MiB [default: 64MiB].
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) memory: Option<usize>,

    /// The CPU time the cell may use; waiting does not count [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) cpu_time: Option<Duration>,

    /// The time zone of the cell's local times, as `Europe/Berlin` or `+05:30` [default: UTC].
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,

    /// Check the cell's types before anything of it runs. Needs TypeScript 7: `npm install typescript@7`, with its `tsc` on
    /// the PATH or named by `CARREL_TSC`.
    #[arg(long)]
    pub(crate) check: bool,
}

impl CellArgs {
    /// Returns the limits of a session of such cells.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.memory_bytes = self.memory.unwrap_or(limits.memory_bytes);
        limits.cpu_time = self.cpu_time.unwrap_or(limits.cpu_time);
        limits
    }
}

/// Where a session's cells run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Isolation {
    /// In this process.
    None,
    /// In another one, which is watched.
    Process,
}
