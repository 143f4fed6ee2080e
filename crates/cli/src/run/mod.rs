//! `carrel run`: one cell from its source to its exit code.
//!
//! The order is that of the story: read the source, connect the servers, open a session, admit the cell,
//! follow its events, then say how it ended. [`renderer`] and [`outcome`] decide what is shown, without
//! doing anything; [`follow`] waits and acts.

mod ask;
mod follow;
mod guard;
mod json;
mod media;
mod opened;
mod outcome;
mod renderer;
mod reply;
mod report;
mod shift;
mod source;

use std::path::Path;
use std::time::Duration;

use carrel_contract::error::{Coded, ExecuteError};
use carrel_contract::{CellId, CellResponse, EventStream, ExecuteRequest, Limits, Seq, SessionMode};
use carrel_tools::policy::Unattended;

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::Printer;
use crate::provider;
use crate::repl::Cell;
use crate::servers::{self, Servers};
use crate::sessions::{Found, Place, Settings, Shelf};
use crate::terminal::{Terminal, Tone};
use follow::{Ended, Following, KeptReader};
pub(crate) use guard::{Guard, Guarded};
pub(crate) use opened::{Opened, open, resume};
use outcome::Stop;
use report::Memory;
pub(crate) use source::Source;

/// The output that is kept of a cell, in bytes: far more than a model is shown, for people pipe it into files.
const OUTPUT_BYTES: usize = 16 << 20;
/// The events kept for this program to read, for the same reason.
const KEPT_EVENTS: usize = 1 << 18;

/// Runs the command.
pub(crate) async fn run(args: RunArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let exit = attempt(&args, &interrupt, &printer).await;
    printer.status(None);
    match exit {
        Ok(exit) => exit,
        Err((exit, message)) => {
            if !message.is_empty() {
                printer.rendered(&report::fault(&message, None, printer.terminal().look()));
            }
            exit
        }
    }
}

/// How the program ends, and why.
pub(crate) type Fault = (Exit, String);

/// How a cell is followed and shown.
pub(crate) struct Showing<'a> {
    /// When it is terminated.
    pub(crate) timeout: Option<Duration>,
    pub(crate) json: bool,
    /// Where images and audio are saved.
    pub(crate) media_folder: &'a Path,
}

/// What runs.
pub(crate) struct Code<'a> {
    /// The source as it was written.
    pub(crate) source: &'a Source,
    /// The same, or an expression of it within words of ours.
    pub(crate) code: &'a str,
    /// Which of them stand before its first line.
    pub(crate) before: &'a str,
}

async fn attempt(args: &RunArgs, interrupt: &Interrupt, printer: &Printer) -> Result<Exit, Fault> {
    let (named, source_bytes) = (args.clone(), Limits::default().source_bytes);
    // Standard input, or a pipe, may have nothing to read for ever: that is waited for on a thread of its own.
    let reading = tokio::task::spawn_blocking(move || Source::read(&named, source_bytes));
    let source = tokio::select! {
        exit = interrupt.fired() => return Err((exit, String::new())),
        source = reading => source.map_err(|_| (Exit::Internal, "failed to read the cell".into()))?,
    };
    let source = source.map_err(|e| usage(&e))?;
    let place = Place::find(&args.named, &args.cells, SessionMode::Fresh).await?;
    place.refuse_unfinished()?;
    let settings = place.settings();
    let guard = Guard::load(&args.guard, &settings, Unattended::Deny).map_err(|e| usage(&e))?;
    let files = match servers::files(&args.mcp, source.folder.as_deref().filter(|_| !args.no_mcp)) {
        none if none.is_empty() && !args.no_mcp => settings.mcp.clone(),
        files => files,
    };
    let settings = settings.with(&files, args.guard.policy.as_deref());
    let config = servers::load(&files).map_err(|e| usage(&e))?;
    let Some(servers) = servers::connect(config, interrupt, printer).await else {
        return Err((interrupt.exit().unwrap_or(Exit::Interrupted), String::new()));
    };
    let servers = servers.with_learned(learned::open(&files));
    servers.report_problems(printer);
    if servers.none_left() {
        servers.close().await;
        let message = "none of the configured MCP servers could be reached, so the cell was not run".into();
        return Err((Exit::Unreachable, message));
    }
    let exit =
        with_session(args, &source, (&place, &settings), (&servers, guard), (interrupt, printer)).await;
    printer.status(None);
    servers.close().await;
    exit
}

async fn with_session(
    args: &RunArgs,
    source: &Source,
    (place, settings): (&Place, &Settings),
    (servers, guard): (&Servers, Option<Guard>),
    (interrupt, printer): (&Interrupt, &Printer),
) -> Result<Exit, Fault> {
    let opened =
        open((place, settings), args.isolation, &args.cells, SessionMode::Fresh, servers, guard).await?;
    let code = Code { source, code: &source.text, before: "" };
    let showing = Showing {
        timeout: args.timeout,
        json: args.json,
        media_folder: args.image_dir.as_deref().unwrap_or(Path::new("")),
    };
    let ran = opened.cell(&code, &showing, Seq::START, interrupt, printer).await;
    opened.close().await;
    ran.map(|(exit, _)| exit)
}

impl Opened {
    /// Runs a cell and shows what it does, and asks what its policy asks. `after` is an event of the session before it;
    /// returns the last one of it, too.
    pub(crate) async fn cell(
        &self,
        code: &Code<'_>,
        showing: &Showing<'_>,
        after: Seq,
        interrupt: &Interrupt,
        printer: &Printer,
    ) -> Result<(Exit, Seq), Fault> {
        let run = async {
            let events = self.session.events(after);
            let started = self.session.execute(ExecuteRequest::new(code.code)).await;
            let cell_id = started.map_err(|e| execute_fault(&e, &code.source.name))?.cell_id;
            let kept = self.kept_as.as_deref().map(KeptReader::new);
            self.follow(cell_id, events, kept, code, showing, (interrupt, printer)).await
        };
        tokio::select! {
            ran = run => ran,
            never = ask::attend(self.guarded.approvals.clone(), interrupt, printer) => match never {},
        }
    }

    /// Shows what was not shown of a kept session's cells, and waits for those that run. Returns how the first ended that
    /// did not end well.
    pub(crate) async fn catch_up(
        &self,
        shelf: &Shelf,
        found: &Found,
        showing: &Showing<'_>,
        interrupt: &Interrupt,
        printer: &Printer,
    ) -> Result<Exit, Fault> {
        let missed = found.missed();
        let written = found.written(shelf).await?;
        let source_of =
            |id: &CellId| written.iter().find(|cell| cell.id == *id).map(|cell| cell.source.as_str());
        let show = async {
            let mut exit = Exit::Success;
            for cell in &missed {
                if cell.is_running {
                    printer.note(Tone::Dim, &format!("{} goes on where it was", cell.id));
                } else if missed.len() > 1 {
                    printer.note(Tone::Dim, &format!("{}:", cell.id));
                }
                let entered = Cell::restored(source_of(&cell.id).unwrap_or_default());
                let source = Source { name: cell.id.to_string(), text: entered.written, folder: None };
                let code = Code { source: &source, code: "", before: entered.before };
                let kept = KeptReader::back(&found.name, cell);
                let events = self.session.events(Seq::START);
                let shown = self
                    .follow(cell.id.clone(), events, Some(kept), &code, showing, (interrupt, printer))
                    .await?;
                exit = if exit == Exit::Success { shown.0 } else { exit };
            }
            Ok(exit)
        };
        tokio::select! {
            shown = show => shown,
            never = ask::attend(self.guarded.approvals.clone(), interrupt, printer) => match never {},
        }
    }

    /// Shows what a cell does until it ends. Returns the last event of it, too.
    async fn follow(
        &self,
        cell_id: CellId,
        events: EventStream,
        kept: Option<KeptReader<'_>>,
        code: &Code<'_>,
        showing: &Showing<'_>,
        (interrupt, printer): (&Interrupt, &Printer),
    ) -> Result<(Exit, Seq), Fault> {
        let following = Following { session: &self.session, cell_id, interrupt, printer, showing, kept };
        let mut ended = following.to_the_end(events).await?;
        if let CellResponse::Completed(completed) = &mut ended.response
            && let Some(error) = &mut completed.error
        {
            shift::take_back(error, &completed.observation.cell_id, code.before);
        }
        let last = ended.response.observation().cursor;
        let exit = close(showing, code.source, &ended, self.memory_bytes, printer)?;
        Ok((exit, last))
    }
}

/// Shows how a cell ended.
fn close(
    showing: &Showing<'_>,
    source: &Source,
    ended: &Ended,
    memory_bytes: usize,
    printer: &Printer,
) -> Result<Exit, Fault> {
    let exit = outcome::exit(&ended.response, ended.stop);
    let exit = if exit == Exit::Success && ended.lost_output { Exit::Internal } else { exit };

    if matches!(ended.stop, Some(Stop::Output(_))) {
        return Ok(exit);
    }
    if showing.json {
        let object =
            json::object(&ended.response, ended.stop, exit, ended.failed_calls, &ended.asked, &ended.told)
                .map_err(|e| (Exit::Internal, format!("failed to write the outcome as JSON: {e}")))?;
        return Ok(printer.data(&object).map_or_else(|e| e.report(printer), |()| exit));
    }
    let look = printer.terminal().look();
    let memory = Memory { given: memory_bytes, most: provider::memory_range().1 };
    let closing = outcome::closing(&ended.response, ended.stop, source, memory, look);
    if let Some(result) = closing.result
        && let Err(error) = printer.data(&result)
    {
        return Ok(error.report(printer));
    }
    for (tone, note) in closing.notes {
        printer.note(tone, &note);
    }
    if let Some(error) = closing.error {
        printer.rendered(&error);
    }
    printer.note(Tone::Dim, &outcome::footer(&ended.response, ended.failed_calls));
    Ok(exit)
}

fn usage(error: &dyn std::error::Error) -> Fault {
    (Exit::Usage, format!("failed to {error}"))
}

fn execute_fault(error: &ExecuteError, name: &str) -> Fault {
    if let ExecuteError::InvalidSource(invalid) = error {
        return (Exit::Usage, format!("failed to run {name}: it {} ({})", invalid.problem, error.code()));
    }
    (Exit::Internal, format!("failed to {error} ({})", error.code()))
}
