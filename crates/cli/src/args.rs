//! The command line.

mod cells;
mod clients;
mod kept;
mod serving;
mod upstream;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use cells::{CellArgs, GuardArgs, Isolation, NamedArgs, ReplArgs, RunArgs, Unattended};
pub(crate) use clients::{From, ImportArgs, InstallArgs};
pub(crate) use kept::{
    ForkArgs, LogArgs, RemoveArgs, ReplayArgs, ResumeArgs, SessionsArgs, StoreArgs, StoreCommand,
};
pub(crate) use serving::{ApproveArgs, HostArgs, McpArgs, Passed, Sandbox};
pub(crate) use upstream::{
    CheckArgs, DoctorArgs, LoginArgs, LogoutArgs, PolicyArgs, PolicyCommand, ToolsArgs,
};

use crate::exit::Exit;

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
