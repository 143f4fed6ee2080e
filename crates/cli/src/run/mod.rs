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
mod outcome;
mod renderer;
mod reply;
mod report;
mod shift;
mod source;

use std::path::Path;
use std::sync::Arc;

use carrel_contract::error::{Coded, CreateError, ExecuteError};
use carrel_contract::{
    CellResponse, CodeModeSession, ExecuteRequest, Limits, Seq, SessionMode, SessionSpec, ToolDescription,
};

use crate::args::{CellArgs, RunArgs};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::learned;
use crate::printer::Printer;
use crate::provider;
use crate::servers::{self, Servers};
use crate::terminal::{Terminal, Tone};
use crate::units::show_bytes;
use carrel_tools::policy::{Approvals, PolicyDelegate};
use follow::{Ended, Following};
pub(crate) use guard::Guard;
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

/// How a cell is run and shown.
pub(crate) struct Manner<'a> {
    pub(crate) limits: &'a CellArgs,
    /// What runs: the source, or an expression of it within words of ours.
    pub(crate) code: &'a str,
    /// Which of them stand before its first line.
    pub(crate) before: &'a str,
    pub(crate) json: bool,
    /// Where images and audio are saved.
    pub(crate) media_folder: &'a Path,
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
    let guard = Guard::load(&args.session).map_err(|e| usage(&e))?;
    let files = servers::files(&args.mcp, source.folder.as_deref().filter(|_| !args.no_mcp));
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
    let exit = with_session(args, &source, &servers, guard, interrupt, printer).await;
    printer.status(None);
    servers.close().await;
    exit
}

async fn with_session(
    args: &RunArgs,
    source: &Source,
    servers: &Servers,
    guard: Option<Guard>,
    interrupt: &Interrupt,
    printer: &Printer,
) -> Result<Exit, Fault> {
    let opened = session(&args.session, SessionMode::Fresh, servers, guard).await?;
    let manner = Manner {
        limits: &args.session,
        code: &source.text,
        before: "",
        json: args.json,
        media_folder: args.image_dir.as_deref().unwrap_or(Path::new("")),
    };
    let ran = opened.cell(&manner, source, Seq::START, interrupt, printer).await;
    // Only a lost host makes this fail, and there is none in this process.
    opened.session.shutdown().await.ok();
    ran.map(|(exit, _)| exit)
}

/// A session, and what its policy asks a person.
pub(crate) struct Opened {
    pub(crate) session: Arc<dyn CodeModeSession>,
    approvals: Option<Approvals>,
    policy: Option<Arc<PolicyDelegate>>,
}

/// Makes a session with the tools of these servers, under a policy where there is one.
pub(crate) async fn session(
    args: &CellArgs,
    mode: SessionMode,
    servers: &Servers,
    guard: Option<Guard>,
) -> Result<Opened, Fault> {
    let mut spec = SessionSpec::default();
    spec.mode = mode;
    spec.tools = servers.tools();
    spec.limits = limits(args);
    spec.time_zone.clone_from(&args.time_zone);
    spec.check = args.check;
    let memory_bytes = spec.limits.memory_bytes;
    let provider =
        provider::in_process().map_err(|e| (Exit::Internal, format!("failed to {e} ({})", e.code())))?;
    let approvals = guard.as_ref().map(|guard| guard.approvals.clone());
    let policy = guard.map(|guard| guard.around(servers.delegate(), &spec.tools));
    let delegate = policy.clone().map_or_else(|| servers.delegate(), |policy| policy as _);
    let session = provider.create(spec, delegate).await.map_err(|e| create_fault(&e, memory_bytes))?;
    Ok(Opened { session, approvals, policy })
}

impl Opened {
    /// Gives the session other tools: cells that are admitted from now on have these.
    pub(crate) async fn set_tools(&self, tools: Vec<ToolDescription>) -> Result<(), Fault> {
        // First: what the policy was not told of is refused.
        if let Some(policy) = &self.policy {
            policy.set_tools(&tools);
        }
        let set = self.session.set_tools(tools).await;
        set.map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))
    }

    /// Runs a cell and shows what it does, and asks what its policy asks. `after` is an event of the session before it;
    /// returns the last one of it, too.
    pub(crate) async fn cell(
        &self,
        manner: &Manner<'_>,
        source: &Source,
        after: Seq,
        interrupt: &Interrupt,
        printer: &Printer,
    ) -> Result<(Exit, Seq), Fault> {
        tokio::select! {
            ran = cell(manner, source, &self.session, after, interrupt, printer) => ran,
            never = ask::attend(self.approvals.clone(), interrupt, printer) => match never {},
        }
    }
}

/// Runs a cell and shows what it does. `after` is an event of its session before it; returns the last one of it, too.
async fn cell(
    manner: &Manner<'_>,
    source: &Source,
    session: &Arc<dyn CodeModeSession>,
    after: Seq,
    interrupt: &Interrupt,
    printer: &Printer,
) -> Result<(Exit, Seq), Fault> {
    let events = session.events(after);
    let started = session
        .execute(ExecuteRequest::new(manner.code))
        .await
        .map_err(|e| execute_fault(&e, &source.name))?;
    let following = Following {
        session,
        cell_id: started.cell_id,
        interrupt,
        printer,
        timeout: manner.limits.timeout,
        json: manner.json,
        media_folder: manner.media_folder,
    };
    let mut ended = following.to_the_end(events).await?;
    if let CellResponse::Completed(completed) = &mut ended.response
        && let Some(error) = &mut completed.error
    {
        shift::take_back(error, &completed.observation.cell_id, manner.before);
    }
    let last = ended.response.observation().cursor;
    Ok((close(manner, source, &ended, printer)?, last))
}

/// Shows how a cell ended.
fn close(manner: &Manner<'_>, source: &Source, ended: &Ended, printer: &Printer) -> Result<Exit, Fault> {
    let exit = outcome::exit(&ended.response, ended.stop);
    let exit = if exit == Exit::Success && ended.lost_output { Exit::Internal } else { exit };

    if matches!(ended.stop, Some(Stop::Output(_))) {
        return Ok(exit);
    }
    if manner.json {
        let object =
            json::object(&ended.response, ended.stop, exit, ended.failed_calls, &ended.asked, &ended.told)
                .map_err(|e| (Exit::Internal, format!("failed to write the outcome as JSON: {e}")))?;
        return Ok(printer.data(&object).map_or_else(|e| e.report(printer), |()| exit));
    }
    let look = printer.terminal().look();
    let memory = Memory { given: limits(manner.limits).memory_bytes, most: provider::memory_range().1 };
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

fn limits(args: &CellArgs) -> Limits {
    let mut limits = Limits::default();
    if let Some(memory) = args.memory {
        limits.memory_bytes = memory;
    }
    if let Some(cpu_time) = args.cpu_time {
        limits.cpu_time = cpu_time;
    }
    limits.output_bytes = OUTPUT_BYTES;
    limits.kept_events = KEPT_EVENTS;
    limits
}

fn usage(error: &dyn std::error::Error) -> Fault {
    (Exit::Usage, format!("failed to {error}"))
}

fn create_fault(error: &CreateError, memory_bytes: usize) -> Fault {
    if let CreateError::InvalidSpec(invalid) = error
        && invalid.field == "limits.memory_bytes"
    {
        // The flag and its units, which is what the user knows of the field.
        let (least, most) = provider::memory_range();
        let (given, least, most) = (show_bytes(memory_bytes), show_bytes(least), show_bytes(most));
        let message = format!("`--memory` is {given}; accepted is {least} to {most} ({})", error.code());
        return (Exit::Usage, message);
    }
    let exit = match error {
        CreateError::InvalidSpec(_) | CreateError::Unsupported(_) => Exit::Usage,
        _ => Exit::Internal,
    };
    (exit, format!("failed to {error} ({})", error.code()))
}

fn execute_fault(error: &ExecuteError, name: &str) -> Fault {
    if let ExecuteError::InvalidSource(invalid) = error {
        return (Exit::Usage, format!("failed to run {name}: it {} ({})", invalid.problem, error.code()));
    }
    (Exit::Internal, format!("failed to {error} ({})", error.code()))
}
