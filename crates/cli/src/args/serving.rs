//! What serves sessions to others.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use carrel_host::Listen;
use carrel_tools::policy::Pattern;
use clap::{Args, ValueEnum};

use super::{CellArgs, GuardArgs, Isolation};
use crate::units;

/// The arguments of `mcp`.
#[derive(Args, Clone, Debug)]
pub(crate) struct McpArgs {
    /// MCP servers and OpenAPI documents whose tools cells can call, as JSON with `mcpServers` or as TOML; may be given
    /// several times [default: ./carrel.toml, else ./mcp.json].
    #[arg(long, visible_alias = "mcp", value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,

    /// Serve many clients over HTTP at this address, instead of one on standard input and output. Clients show the token
    /// that `CARREL_MCP_TOKEN` holds; without one, only addresses of this machine's own are served.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<SocketAddr>,

    /// A name, with a port if need be, by which clients reach this machine, besides localhost; may be given several times.
    #[arg(long = "host", value_name = "NAME", requires = "http")]
    pub(crate) hosts: Vec<String>,

    /// Keep nothing: sessions end with this program.
    #[arg(long)]
    pub(crate) ephemeral: bool,

    /// Where cells run: in this process, or in one of their own that this one watches.
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Isolation::Process)]
    pub(crate) isolation: Isolation,

    /// List this tool beside Carrel's own, for clients to call by itself, as `orders__get_order`, all that fit, as
    /// `orders__*`, or under another name, as `get_order=orders__get_order`; may be given several times.
    #[arg(long, value_name = "[NAME=]PATTERN", value_parser = passed)]
    pub(crate) pass_through: Vec<Passed>,

    /// The longest that one call keeps a client waiting; a cell that takes longer runs on [default: as long as the client is
    /// known to wait, else 50s].
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) max_wait: Option<Duration>,

    /// The most output that one answer shows, in tokens of four bytes, unless its call names another; the rest can be read in
    /// pages [default: what the client is known to show, else 8000].
    #[arg(long, value_name = "TOKENS")]
    pub(crate) output_tokens: Option<usize>,

    /// What cells may do.
    #[command(flatten)]
    pub(crate) guard: GuardArgs,

    /// What each cell may take.
    #[command(flatten)]
    pub(crate) cells: CellArgs,
}

/// Tools to pass through, and the name that a single one gets.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) pattern: Pattern,
    pub(crate) name: Option<String>,
}

fn passed(text: &str) -> Result<Passed, String> {
    let pattern = |text: &str| Pattern::for_tools(text).map_err(|error| error.to_string());
    let Some((name, tool)) = text.split_once('=') else {
        return Ok(Passed { pattern: pattern(text)?, name: None });
    };
    // What all clients and the models behind them take for a name.
    let is_name = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if !is_name {
        return Err(format!(
            "{name:?} is no name for a tool: accepted are up to 64 of A-Z, a-z, 0-9, `_` and `-`"
        ));
    }
    if tool.contains('*') {
        return Err(format!("one tool can go by `{name}`, and `{tool}` may fit several"));
    }
    if ["exec", "wait", "search_tools"].contains(&name) {
        return Err(format!("`{name}` is a tool of Carrel's own"));
    }
    Ok(Passed { pattern: pattern(tool)?, name: Some(name.to_owned()) })
}

/// The arguments of `approve`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApproveArgs {
    /// The questions to answer, as the list names them. They are answered with a yes, which needs a terminal. Without any, what
    /// waits is listed.
    #[arg(value_name = "ID")]
    pub(crate) questions: Vec<String>,

    /// List what waits.
    #[arg(long, conflicts_with = "questions")]
    pub(crate) list: bool,

    /// Answer with a no.
    #[arg(long, requires = "questions")]
    pub(crate) deny: bool,

    /// Allow every call of the tool in its session.
    #[arg(long, requires = "questions", conflicts_with = "deny")]
    pub(crate) session: bool,
}

/// The arguments of `host`.
#[derive(Args, Clone, Debug)]
pub(crate) struct HostArgs {
    /// Where clients come: `stdio`, `unix:PATH` or `tcp:127.0.0.1:PORT`.
    #[arg(long, value_name = "PLACE", required_unless_present = "try_sandbox")]
    pub(crate) listen: Option<Listen>,

    /// The store of durable sessions, a file; without it, there are none.
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,

    /// The key that snapshots in the store are signed with, a file; it is made where there is none. Without it, whoever may write
    /// to the store is trusted with the memory of cells.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) snapshot_key: Option<PathBuf>,

    /// How many cells may run at once. Each place costs a little time at the start.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) cells: Option<u32>,

    /// A file whose content each client has to know. Needed on a port, which every user of the machine can reach.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// How long the sessions of a client whose connection broke are kept for it to resume them.
    #[arg(long, value_name = "DURATION", value_parser = units::duration, default_value = "30s")]
    pub(crate) linger: Duration,

    /// What the host gives up before the first cell, besides what it needs: see docs/sandbox.md.
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub(crate) sandbox: Sandbox,

    /// Enter the sandbox, run a cell there, say how much of it the kernel gave, and end.
    #[arg(long, hide = true, conflicts_with_all = ["listen", "store", "token_file"])]
    pub(crate) try_sandbox: bool,

    /// The process that started this one: when it ends, so does this.
    #[arg(long, value_name = "PID", hide = true)]
    pub(crate) parent: Option<u32>,
}

/// What a host gives up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sandbox {
    /// All that it does not need, or nothing is served.
    Required,
    /// Of that what this kernel lets it give up; what is missing is said.
    #[default]
    BestEffort,
    /// Nothing.
    Off,
}
