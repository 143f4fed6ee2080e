//! `carrel doctor`: tries what Carrel needs and says what to do where it does not work.
//!
//! Each check does the real thing, a cell that runs or a server that answers, and none only looks.

mod check;
mod engine;
mod host;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use carrel_checker::{Checker, Compiler, Options};
use carrel_contract::{CellChecker, CheckRequest};

use check::{Check, Status};

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::{Printer, WriteError};
use crate::servers;
use crate::terminal::Terminal;
use crate::units::show_duration;

/// Runs the command.
pub(crate) async fn run(args: DoctorArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let mut report = Report { printer: &printer, worst: Status::Ok };
    match examine(&args, &interrupt, &printer, &mut report).await {
        Err(error) => error.report(&printer),
        Ok(()) => match interrupt.exit() {
            Some(exit) => exit,
            None if report.worst == Status::Fail => Exit::Failed,
            None => Exit::Success,
        },
    }
}

/// Prints checks as they are made.
struct Report<'a> {
    printer: &'a Printer,
    worst: Status,
}

impl Report<'_> {
    fn add(&mut self, check: &Check) -> Result<(), WriteError> {
        self.worst = self.worst.max(check.status);
        self.printer.data(&check.line())
    }
}

async fn examine(
    args: &DoctorArgs,
    interrupt: &Interrupt,
    printer: &Printer,
    report: &mut Report<'_>,
) -> Result<(), WriteError> {
    report.add(&version())?;
    for check in engine::checks().await {
        report.add(&check)?;
    }
    report.add(&host::check().await)?;
    report.add(&types().await)?;
    for check in mcp(args, interrupt, printer).await {
        report.add(&check)?;
    }
    report.add(&terminal(printer.terminal()))
}

fn version() -> Check {
    Check::ok(
        "version",
        format!(
            "carrel {} for {} on {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS
        ),
    )
}

/// Checks a cell that has a type error, with the compiler that `--check` would use.
async fn types() -> Check {
    let compiler = match Compiler::find() {
        Ok(compiler) => compiler,
        Err(error) => {
            return Check::ok("type checker", format!("none, and only `--check` needs one: {error}"));
        }
    };
    let place = format!(
        "TypeScript {} at {}",
        compiler.version().as_deref().unwrap_or("of an unknown version"),
        compiler.program().display()
    );
    let began = Instant::now();
    let checker = Checker::with_compiler(compiler, Options::default());
    let request = CheckRequest::new("const n: number = 'a';".into(), Arc::new([]));
    match checker.check(request).await {
        Ok(found) if found.iter().any(|it| it.code == "TS2322") => {
            Check::ok("type checker", format!("{place}: a first check in {}", show_duration(began.elapsed())))
        }
        Ok(found) => {
            let help = "`npm install typescript@7` gives a compiler that works, and CARREL_TSC names it";
            Check::warn("type checker", format!("{place} finds the wrong errors: {found:?}"), help.into())
        }
        Err(error) => {
            let help = "`npm install typescript@7` gives a compiler that works, and CARREL_TSC names it";
            Check::warn("type checker", format!("{place}: {error}"), help.into())
        }
    }
}

async fn mcp(args: &DoctorArgs, interrupt: &Interrupt, printer: &Printer) -> Vec<Check> {
    let files = servers::files(&args.mcp, Some(Path::new("")));
    if files.is_empty() {
        return vec![Check::ok("mcp servers", "none configured; `--mcp FILE` tries those of a file".into())];
    }
    let config = match servers::load(&files) {
        Ok(config) => config,
        Err(error) => {
            let help = "the file is the `mcpServers` JSON that MCP clients share; docs/cli.md shows one";
            return vec![Check::fail("mcp servers", format!("failed to {error}"), help.into())];
        }
    };
    let began = Instant::now();
    let Some(servers) = servers::connect(config, interrupt, printer).await else {
        return Vec::new();
    };
    let took = show_duration(began.elapsed());
    let mut checks: Vec<_> = servers
        .reached()
        .into_iter()
        .map(|(name, tools)| Check::ok("mcp server", format!("{name}: {tools} tools, reached within {took}")))
        .collect();
    checks.extend(servers.warnings().iter().map(|warning| {
        let help = "what is named was passed over; the rest works";
        Check::warn("mcp server", warning.clone(), help.into())
    }));
    checks.extend(servers.failures().iter().map(|failure| {
        let help = "run its command by hand; it must speak MCP on stdin and stdout, or answer at its URL";
        Check::fail("mcp server", failure.clone(), help.into())
    }));
    servers.close().await;
    checks
}

fn terminal(terminal: Terminal) -> Check {
    let of = |is: bool| if is { "a terminal" } else { "not a terminal" };
    let extras = match (terminal.stderr, terminal.cursor, terminal.colour) {
        (false, ..) => "no spinner, no colours",
        (true, true, true) => "spinner and colours",
        (true, true, false) => "spinner, no colours (NO_COLOR)",
        (true, false, _) => "no spinner, no colours (TERM)",
    };
    let detail = format!("stdout is {}, stderr is {}: {extras}", of(terminal.stdout), of(terminal.stderr));
    Check::ok("terminal", detail)
}
