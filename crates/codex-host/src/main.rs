//! The program `codex-code-mode-host`. All of it is in the library, which `carrel codex-host` runs, too.

use std::process::ExitCode;

use clap::Parser;

/// Runs cells for a client that speaks the protocol of a Codex code-mode host.
#[derive(Parser)]
#[command(name = "codex-code-mode-host", disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    args: carrel_codex_host::Args,
}

fn main() -> ExitCode {
    carrel_codex_host::run(&Cli::parse().args)
}
