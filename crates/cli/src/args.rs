//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use carrel_catalogue::prompt::DEFAULT_BUDGET_TOKENS;
use carrel_contract::{CellId, Limits, SessionName};
use carrel_host::Listen;
use carrel_tools::import::Client;
use carrel_tools::policy::{InvalidPattern, Pattern};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;
use crate::units;

/// Runs programs that call tools: small cells of JavaScript or TypeScript, each in a sandbox of its own.
#[derive(Debug, Parser)]
#[command(name = "carrel", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the process's arguments. Help and version are printed here, and so are faults.
    pub(crate) fn read() -> Result<Self, Exit> {
        let command = Self::command().after_help(Exit::table());
        command.try_get_matches().and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            // A help text that nobody reads to its end is no fault.
            error.print().ok();
            exit
        })
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one cell and print what it shows.
    Run(RunArgs),
    /// Run cells one by one, each seeing what those before it declared.
    Repl(ReplArgs),
    /// Serve sessions to MCP clients, in front of the MCP servers of a configuration: two tools instead of all of theirs.
    Mcp(McpArgs),
    /// Answer what the policy of a running `carrel mcp` asks a person, where its client cannot.
    Approve(ApproveArgs),
    /// List the tools that a configuration gives.
    Tools(ToolsArgs),
    /// Collect the MCP servers that other clients have configured into one configuration.
    Import(ImportArgs),
    /// Put Carrel into a client, and the servers that it has behind Carrel; what will change is shown first.
    Install(InstallArgs),
    /// Take Carrel out of a client, and put back what was there.
    Uninstall(InstallArgs),
    /// Log in at a remote MCP server, in the browser.
    Login(LoginArgs),
    /// Forget what a login gave.
    Logout(LogoutArgs),
    /// Look at a policy before it is used.
    Policy(PolicyArgs),
    /// List the sessions that are kept.
    Sessions(SessionsArgs),
    /// Let the cells of a kept session go on, show what was not seen of them, and wait for their end.
    Resume(ResumeArgs),
    /// Forget kept sessions with all that they have.
    Rm(RemoveArgs),
    /// Print what a kept session did, a line a record, also while it runs.
    Log(LogArgs),
    /// Run a cell of a kept session again against its recorded answers: no tool is called.
    Replay(ReplayArgs),
    /// Make a session of what a kept one was at an event of its log, and print its name.
    Fork(ForkArgs),
    /// Check that everything Carrel needs works here, and say what to do where it does not.
    Doctor(DoctorArgs),
    /// Look after the store of durable sessions: check it, make it small, carry sessions to another.
    Store(StoreArgs),
    /// Serve sessions to clients in other processes: see docs/protocol.md.
    Host(HostArgs),
    /// Serve sessions to Codex, in the place of its own code-mode host: see docs/codex.md.
    CodexHost(carrel_codex_host::Args),
    /// Serve the example's tools, an order book, as an MCP server on stdin and stdout.
    ExampleServer,
}

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

/// What becomes of calls that a person has to allow while nobody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unattended {
    /// They are refused.
    Deny,
    /// They wait.
    Wait,
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

fn pattern(text: &str) -> Result<Pattern, InvalidPattern> {
    Pattern::for_tools(text)
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

/// The arguments of `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// MCP servers and OpenAPI documents to try, as JSON or TOML; may be given several times [default: ./carrel.toml,
    /// else ./mcp.json, if any].
    #[arg(long, value_name = "FILE")]
    pub(crate) mcp: Vec<PathBuf>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cell_comes_from_one_place() {
        assert!(Cli::try_parse_from(["carrel", "run"]).is_err());
        assert!(Cli::try_parse_from(["carrel", "run", "a.js", "-e", "1"]).is_err());
        assert!(Cli::try_parse_from(["carrel", "run", "-"]).is_ok());
        assert!(Cli::try_parse_from(["carrel", "run", "-e", "-1"]).is_ok());
    }

    #[test]
    fn a_tool_is_passed_through_under_a_name_that_is_free() {
        let parse = |given: &str| Cli::try_parse_from(["carrel", "mcp", "--pass-through", given]);
        for good in ["a__b", "a__*", "*", "get-it=a__b"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["a b", "exec=a__b", "x=a__*", "=a__b", "x y=a__b", "x="] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
