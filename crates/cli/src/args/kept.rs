//! What sessions that are kept can be asked, and the store that keeps them.

use std::path::PathBuf;
use std::time::Duration;

use carrel_contract::CellId;
use clap::{Args, Subcommand};

use super::{GuardArgs, Isolation};
use crate::units;

/// The arguments of `resume`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ResumeArgs {
    /// The session, by its name.
    #[arg(value_name = "NAME")]
    pub(crate) session: String,

    /// MCP servers and OpenAPI documents, as JSON or TOML; may be given several times [default: ./carrel.toml, else
    /// ./mcp.json].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,

    /// Start no MCP server: the cells go on without tools.
    #[arg(long, conflicts_with = "mcp")]
    pub(crate) no_mcp: bool,

    /// What the cells may do.
    #[command(flatten)]
    pub(crate) guard: GuardArgs,

    /// Where cells go on: in this process, or in one of their own that this one watches.
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Isolation::None)]
    pub(crate) isolation: Isolation,

    /// The time after which a cell is terminated, whatever it does [default: none].
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Print a JSON object a line, one for each cell, as `run --json` does.
    #[arg(long)]
    pub(crate) json: bool,

    /// Where images and audio are saved [default: the current directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) image_dir: Option<PathBuf>,
}

/// The arguments of `sessions`.
#[derive(Args, Debug)]
pub(crate) struct SessionsArgs {
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `log`.
#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// The session, by its name.
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,

    /// Print one JSON object a line: docs/time-travel.md lists the fields.
    #[arg(long)]
    pub(crate) json: bool,

    /// Only what is of this cell, as `cell-3` or `3`.
    #[arg(long, value_name = "ID", value_parser = crate::travel::parse_cell)]
    pub(crate) cell: Option<CellId>,

    /// Only what comes after this event.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) after: u64,

    /// Go on printing what comes, until Ctrl-C.
    #[arg(long)]
    pub(crate) follow: bool,
}

/// The arguments of `replay`.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The session, by its name.
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,

    /// The cell, as `cell-3` or `3`.
    #[arg(long, value_name = "ID", value_parser = crate::travel::parse_cell)]
    pub(crate) cell: CellId,

    /// Stop after this event, and show where the cell stands.
    #[arg(long, value_name = "SEQ")]
    pub(crate) to: Option<u64>,

    /// Run this source against the recorded answers instead, until it needs one that was not recorded.
    #[arg(long, value_name = "FILE")]
    pub(crate) edit: Option<PathBuf>,

    /// Wait for Enter before each next step.
    #[arg(long, conflicts_with = "json")]
    pub(crate) step: bool,

    /// Print a JSON object a line: a step each, where the cell stands, and at last how it came out.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `fork`.
#[derive(Args, Debug)]
pub(crate) struct ForkArgs {
    /// The session, by its name. It is not disturbed, whoever has it.
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,

    /// The name of the new session [default: none; it is called by its id].
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The last event that both are to have; 0 is before the first cell [default: the last there is].
    #[arg(long, value_name = "SEQ")]
    pub(crate) at: Option<u64>,
}

/// The arguments of `rm`.
#[derive(Args, Debug)]
pub(crate) struct RemoveArgs {
    /// The sessions, by their names.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) sessions: Vec<String>,
}

/// The arguments of `store`.
#[derive(Args, Debug)]
pub(crate) struct StoreArgs {
    /// The store [default: store/carrel.db in the folder that `CARREL_DATA` names, or that the system has for data].
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) store: Option<PathBuf>,

    /// What to do with it.
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

/// What there is to do with a store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read every entry and every large value, and name what is not as it was written.
    Check {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make the file as small as it can be; no session may be running meanwhile.
    Compact,
    /// Write sessions to a file, with all they need.
    Export {
        /// The sessions [default: all].
        #[arg(value_name = "SESSION")]
        sessions: Vec<String>,
        /// The file, which must not be there yet [default: standard output].
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Read sessions from a file that `export` wrote.
    Import {
        /// The file; `-` reads standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Leave sessions that the store has already as they are, instead of stopping at the first.
        #[arg(long)]
        skip_existing: bool,
        /// Trust the file: go on from the memory of VMs in it, which otherwise is computed again from their journals, or
        /// lost where these have no beginning. For files that you, or who you would let run any code, have exported.
        #[arg(long)]
        trust: bool,
    },
}
