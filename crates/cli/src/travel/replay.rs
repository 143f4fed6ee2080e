//! `carrel replay`: a cell again, against the answers that were recorded, with no tool called.

use std::io::{self, BufRead as _};
use std::path::Path;

use carrel_contract::error::Coded as _;
use carrel_runtime::travel::{RecordingError, Replay, State, Verdict};

use super::find;
use super::step::Page;
use super::step_json;
use crate::args::ReplayArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::{Printer, WriteError};
use crate::provider;
use crate::run::Fault;
use crate::terminal::{Terminal, Tone};

/// What may be typed between two steps.
const HELP: &str = "Enter: the next step; s: where the cell stands; c: go on to the end; q: leave";

/// Runs the command.
pub(crate) async fn run(args: ReplayArgs, interrupt: Interrupt) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let done = tokio::select! {
        exit = interrupt.fired() => return exit,
        done = perform(&args, &printer) => done,
    };
    match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => error.report(&printer),
        Err((exit, message)) => {
            printer.note(Tone::Error, &message);
            exit
        }
    }
}

/// What a person wants between two steps.
enum Wish {
    Next,
    State,
    End,
    Leave,
}

async fn perform(args: &ReplayArgs, printer: &Printer) -> Result<Result<Exit, WriteError>, Fault> {
    let (shelf, session) = find(&args.session).await?;
    let edited = args.edit.as_deref().map(read).transpose()?;
    let provider = provider::keeping(shelf.as_store())
        .map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    let recording = provider.recording(&session, &args.cell).await.map_err(|error| not_recorded(&error))?;
    if let Some(to) = args.to.filter(|to| *to > recording.last().0) {
        let message =
            format!("the recording of {} ends with event {}, before {to}", args.cell, recording.last());
        return Err((Exit::Usage, message));
    }
    let made = match &edited {
        Some(source) => recording.replay_edited(source.as_str()),
        None => recording.replay(),
    };
    let replay = made.map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    let name = args.edit.as_deref().map_or("cell.js".to_owned(), |path| path.display().to_string());
    let source = edited.as_deref().unwrap_or(recording.source());
    let colour = printer.terminal().stdout && printer.terminal().colour;
    let page = Page::new(&name, source, colour);
    Ok(show(replay, args, &page, printer).await)
}

/// Prints the steps as they come.
async fn show(
    mut replay: Replay,
    args: &ReplayArgs,
    page: &Page,
    printer: &Printer,
) -> Result<Exit, WriteError> {
    let mut is_stepping = args.step;
    if is_stepping {
        printer.note(Tone::Dim, HELP);
    }
    let is_there = |state: &State| args.to.is_some_and(|to| state.seq.0 >= to);
    while !is_there(replay.state()) {
        let Some(step) = replay.step().await else { break };
        printer.push_harmless(&if args.json { step_json::step(&step) } else { page.step(&step) })?;
        while is_stepping && replay.verdict().is_none() {
            printer.flush()?;
            match wish().await {
                Wish::Next => break,
                Wish::State => printer.push_harmless(&page.state(replay.state()))?,
                Wish::End => is_stepping = false,
                Wish::Leave => return Ok(Exit::Success),
            }
        }
    }
    let standing = |state: &State| if args.json { step_json::state(state) } else { page.state(state) };
    if args.to.is_some() && is_there(replay.state()) {
        printer.push_harmless(&standing(replay.state()))?;
        printer.flush()?;
        return Ok(Exit::Success);
    }
    let Some(verdict) = replay.verdict() else { return Ok(Exit::Internal) };
    if matches!(verdict, Verdict::Open { .. }) {
        printer.push_harmless(&standing(replay.state()))?;
    }
    if args.json {
        printer.push_harmless(&step_json::verdict(verdict))?;
    }
    printer.flush()?;
    if !args.json {
        let (text, tone) = page.verdict(verdict);
        printer.note(tone, &text);
    }
    Ok(if matches!(verdict, Verdict::Diverged(_)) { Exit::Failed } else { Exit::Success })
}

/// Reads what is typed; at the end of standard input the rest is shown.
async fn wish() -> Wish {
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line))
    });
    match typed.await {
        Ok(Ok(Some(line))) => match line.trim() {
            "s" => Wish::State,
            "c" => Wish::End,
            "q" => Wish::Leave,
            _ => Wish::Next,
        },
        _ => Wish::End,
    }
}

fn read(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path)
        .map_err(|error| (Exit::Usage, format!("failed to read {}: {error}", path.display())))
}

fn not_recorded(error: &RecordingError) -> Fault {
    let exit = match error {
        RecordingError::UnknownSession(_)
        | RecordingError::UnknownCell(_)
        | RecordingError::NotBegun { .. }
        | RecordingError::HistoryCut(_)
        | RecordingError::VariablesLost { .. } => Exit::Usage,
        RecordingError::Corrupt(_) => Exit::Failed,
        _ => Exit::Internal,
    };
    (exit, format!("failed to {error}"))
}
