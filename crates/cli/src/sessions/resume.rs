//! `carrel resume`: lets the cells of a kept session go on, and shows what was not seen of it.

use std::path::Path;

use carrel_contract::ToolName;
use carrel_runtime::{Kept, KeptCell, WrittenCell};
use carrel_tools::policy::Unattended;

use super::{Found, Shelf, resume_fault};
use crate::args::ResumeArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::Printer;
use crate::run::{self, Fault, Guard, Showing};
use crate::servers::{self, Servers};
use crate::terminal::{Terminal, Tone};

/// The most tools that are named as missing.
const NAMED: usize = 5;

/// Runs the command.
pub(crate) async fn run(args: ResumeArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let exit = attempt(&args, &interrupt, &printer).await;
    printer.status(None);
    exit.unwrap_or_else(|(exit, message)| {
        if !message.is_empty() {
            printer.note(Tone::Error, &message);
        }
        exit
    })
}

async fn attempt(args: &ResumeArgs, interrupt: &Interrupt, printer: &Printer) -> Result<Exit, Fault> {
    let found = match Shelf::look()? {
        Some(shelf) => shelf.find(&args.session).await?.map(|found| (shelf, found)),
        None => None,
    };
    let Some((shelf, found)) = found else {
        let message = format!("there is no session `{}`; `carrel sessions` lists them", args.session);
        return Err((Exit::Usage, message));
    };
    let guard = Guard::load(&args.guard, &found.settings, Unattended::Deny)
        .map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    if found.missed().is_empty() {
        let note = format!("`{}`: {}, and nothing that was not shown", found.name, cells(&found.kept));
        printer.note(Tone::Dim, &note);
        return Ok(Exit::Success);
    }
    // Nothing calls a tool but a cell that goes on.
    let files = found.settings.files(&args.mcp, args.no_mcp || !found.is_running());
    let config = servers::load(&files).map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    let Some(servers) = servers::connect(config, interrupt, printer).await else {
        return Err((interrupt.exit().unwrap_or(Exit::Interrupted), String::new()));
    };
    let servers = servers.with_learned(learned::open(&files));
    servers.report_problems(printer);
    let exit = with_servers(args, &shelf, &found, &servers, guard, (interrupt, printer)).await;
    printer.status(None);
    servers.close().await;
    exit
}

async fn with_servers(
    args: &ResumeArgs,
    shelf: &Shelf,
    found: &Found,
    servers: &Servers,
    guard: Option<Guard>,
    (interrupt, printer): (&Interrupt, &Printer),
) -> Result<Exit, Fault> {
    if !args.no_mcp {
        found.refuse_missing_tools(servers)?;
    }
    let opened = run::resume((shelf, found), args.isolation, servers, guard).await?;
    let showing = Showing {
        timeout: args.timeout,
        json: args.json,
        media_folder: args.image_dir.as_deref().unwrap_or(Path::new("")),
    };
    let shown = opened.catch_up(shelf, found, &showing, interrupt, printer).await;
    opened.close().await;
    shown
}

fn cells(kept: &Kept) -> String {
    match kept.admitted {
        0 => "no cells".to_owned(),
        1 => "1 cell, which has ended".to_owned(),
        count => format!("{count} cells, which have ended"),
    }
}

impl Found {
    /// Returns the cells that run, and those of which more is there than was shown.
    pub(crate) fn missed(&self) -> Vec<&KeptCell> {
        self.kept.cells.iter().filter(|cell| cell.is_running || cell.is_unread).collect()
    }

    /// Reads the sources of its cells, of all that its journal still has.
    pub(crate) async fn written(&self, shelf: &Shelf) -> Result<Vec<WrittenCell>, Fault> {
        let written = carrel_runtime::written(&shelf.as_store(), &self.id).await;
        written.map_err(|error| resume_fault(&self.name, &error))
    }

    /// Tells whether cells go on when the session is resumed.
    pub(crate) fn is_running(&self) -> bool {
        self.kept.cells.iter().any(|cell| cell.is_running)
    }

    /// Refuses to let cells go on whose tools are not there: calls that they had under way would fail.
    pub(crate) fn refuse_missing_tools(&self, servers: &Servers) -> Result<(), Fault> {
        if !self.is_running() {
            return Ok(());
        }
        let there = servers.tools();
        let had = self.kept.spec.tools.iter().map(|tool| &tool.name);
        let missing: Vec<_> =
            had.filter(|name| there.iter().all(|tool| tool.name != **name)).map(ToolName::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let more = missing.len().saturating_sub(NAMED);
        let named = missing.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let named = if more > 0 { format!("{named} and {more} more") } else { named };
        let message = format!(
            "a cell of `{}` that goes on has tools that are not there: {named}. Name their configuration with `--mcp`, or let it go on without any with `--no-mcp`",
            self.name
        );
        Err((Exit::Unreachable, message))
    }
}
