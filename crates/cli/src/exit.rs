//! The exit codes, all of them.
//!
//! A script tells what happened by the code alone. The list is closed: `carrel --help` prints it, and a test
//! holds `docs/cli.md` to it.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked.
    Success,
    /// The cell failed, or a check of `doctor` or `store` did.
    Failed,
    /// The arguments, an input file or a configuration cannot be used.
    Usage,
    /// The cell was ended by a limit.
    Terminated,
    /// MCP servers could not be reached.
    Unreachable,
    /// Carrel could not do its part.
    Internal,
    /// Another process has the session.
    InUse,
    /// SIGHUP.
    HungUp,
    /// Ctrl-C.
    Interrupted,
    /// Nobody reads standard output any more.
    BrokenPipe,
    /// SIGTERM.
    Asked,
}

impl Exit {
    /// Every way to end, in order of the codes.
    const ALL: [Self; 11] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Terminated,
        Self::Unreachable,
        Self::Internal,
        Self::InUse,
        Self::HungUp,
        Self::Interrupted,
        Self::BrokenPipe,
        Self::Asked,
    ];

    /// Returns the code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Terminated => 3,
            Self::Unreachable => 4,
            Self::Internal => 5,
            Self::InUse => 6,
            // As a shell reports the signals behind them: 128 and the signal's number.
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::BrokenPipe => 141,
            Self::Asked => 143,
        }
    }

    /// Returns what the code means.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => {
                "the cell failed (it threw, does not parse, ran out of memory), or a check of `doctor` or `store` did"
            }
            Self::Usage => {
                "arguments, a file, a store or an MCP configuration that cannot be used; nothing was run"
            }
            Self::Terminated => "the cell was terminated by --cpu-time or --timeout",
            Self::Unreachable => {
                "`run`: no configured MCP server could be reached; `tools`: at least one could not; `resume`: tools of a cell are not there"
            }
            Self::Internal => "Carrel itself failed: the engine, the store, or writing output or files",
            Self::InUse => "the session is in use by another process; nothing was run",
            Self::HungUp => "the terminal went away (SIGHUP)",
            Self::Interrupted => "interrupted by Ctrl-C",
            Self::BrokenPipe => "the reader of standard output went away; the cell was terminated",
            Self::Asked => "told to end (SIGTERM)",
        }
    }

    /// Returns the list for the help text.
    pub(crate) fn table() -> String {
        let mut table = String::from("Exit codes:");
        for exit in Self::ALL {
            table.push_str(&format!("\n  {:>3}  {}", exit.code(), exit.meaning()));
        }
        table
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_code_and_no_other() {
        let page = include_str!("../../../docs/cli.md");
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let documented: Vec<_> = rows
            .iter()
            .filter_map(|row| row.trim_start_matches("| `").split_once("` | "))
            .filter(|(code, _)| code.parse::<u8>().is_ok())
            .map(|(code, meaning)| (code.to_owned(), meaning.trim_end_matches(" |").to_owned()))
            .collect();
        let expected: Vec<_> =
            Exit::ALL.iter().map(|e| (e.code().to_string(), e.meaning().to_owned())).collect();
        assert_eq!(documented, expected);
    }
}
