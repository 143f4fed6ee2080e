//! Follows a running cell: shows its events as they come, and ends it when its time is up, at Ctrl-C, or
//! when nobody reads what it writes.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use carrel_contract::error::Coded;
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, EventKind, EventStream, Seq, StreamItem, TOKEN_BYTES, WaitRequest,
};
use carrel_runtime::KeptCell;
use futures::{FutureExt as _, StreamExt as _};
use tokio::task::JoinSet;

use super::media::Saver;
use super::outcome::{self, Stop};
use super::renderer::{self, Asked, Piece, Renderer, Told};
use super::{Fault, OUTPUT_BYTES, Showing};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::{Printer, WriteError};
use crate::terminal::Tone;
use crate::units::show_bytes;

/// A cell being followed, and what is needed for it.
pub(super) struct Following<'a> {
    pub(super) session: &'a Arc<dyn CodeModeSession>,
    pub(super) cell_id: CellId,
    pub(super) interrupt: &'a Interrupt,
    pub(super) printer: &'a Printer,
    pub(super) showing: &'a Showing<'a>,
    /// In a session that is kept: what its reader is given is remembered.
    pub(super) kept: Option<KeptReader<'a>>,
}

/// How far a cell of a kept session was shown.
#[derive(Clone, Copy)]
pub(super) struct KeptReader<'a> {
    /// The session's name.
    name: &'a str,
    read_up_to: Seq,
    /// Nothing more of the cell will come.
    has_ended: bool,
}

impl<'a> KeptReader<'a> {
    /// Of a cell that begins.
    pub(super) fn new(name: &'a str) -> Self {
        Self { name, read_up_to: Seq::START, has_ended: false }
    }

    /// Of one that is come back to.
    pub(super) fn back(name: &'a str, cell: &KeptCell) -> Self {
        Self { name, read_up_to: cell.read_up_to, has_ended: !cell.is_running }
    }
}

/// A cell that has ended.
pub(super) struct Ended {
    pub(super) response: CellResponse,
    /// Why this program ended it; `None` when it did not.
    pub(super) stop: Option<Stop>,
    pub(super) failed_calls: u64,
    /// What a person was asked.
    pub(super) asked: Vec<Asked>,
    /// What its calls told of how they get on.
    pub(super) told: Vec<Told>,
    /// Whether something the cell emitted was neither shown nor saved.
    pub(super) lost_output: bool,
}

/// What became of a piece.
enum Shown {
    /// It was shown or saved.
    Well,
    /// It could not be saved.
    Lost,
    /// Standard output takes no more.
    Closed(WriteError),
}

impl Following<'_> {
    /// Waits until the cell has ended; `events` are those of its session, from before it was admitted.
    pub(super) async fn to_the_end(&self, mut events: EventStream) -> Result<Ended, Fault> {
        let stop = Arc::new(OnceLock::new());
        // A task of its own: it ends the cell in time even while this one waits for a slow reader.
        let mut guard = JoinSet::new();
        guard.spawn(guard_time(
            Arc::clone(self.session),
            self.cell_id.clone(),
            self.interrupt.clone(),
            self.showing.timeout,
            self.kept.is_some(),
            Arc::clone(&stop),
        ));
        let mut renderer = Renderer::default();
        let mut saver = Saver::new(self.showing.media_folder);
        // What was shown of it, and whether its session was told.
        let mut shown = self.kept.map_or(Seq::START, |kept| kept.read_up_to);
        let mut told_session = self.kept.is_none_or(|kept| kept.read_up_to == Seq::START);
        let mut lost_output = false;
        let mut missed = 0;
        let mut told = false;
        loop {
            if let Some(exit) = self.leaves() {
                guard.shutdown().await;
                return Err((exit, String::new()));
            }
            // What is there already is taken at once and written together; only a pause writes it out.
            let item = match events.next().now_or_never() {
                Some(item) => item,
                None => {
                    if let Err(error) = self.printer.flush() {
                        self.close(&error, &stop).await;
                    }
                    if self.kept.is_some_and(|kept| kept.has_ended) {
                        break;
                    }
                    if !told_session {
                        told_session = true;
                        let response = self.read_on().await?;
                        lost_output |= self.show_rest(&response, &mut shown, &mut saver, &stop).await;
                    }
                    self.printer.status(Some(&renderer.status()));
                    tokio::select! {
                        item = events.next() => item,
                        exit = self.interrupt.fired(), if !told => {
                            told = true;
                            if self.kept.is_some() && leaves(exit) {
                                continue;
                            }
                            self.printer.unask();
                            let note = "interrupted: ending the cell (Ctrl-C again leaves at once)";
                            self.printer.note(Tone::Dim, note);
                            continue;
                        }
                    }
                }
            };
            match item {
                Some(StreamItem::Event(event)) if event.cell_id == self.cell_id => {
                    let last = is_last(&event.kind);
                    // With --json the items come with the outcome.
                    let is_output = matches!(event.kind, EventKind::Output { .. });
                    let hidden = matches!(stop.get(), Some(Stop::Output(_)))
                        || (self.kept.is_some() && event.seq <= shown)
                        || (self.showing.json && is_output);
                    if self.kept.is_some() && !self.showing.json && event.seq > shown {
                        shown = event.seq;
                        told_session &= !is_output;
                    }
                    match renderer.event(event).filter(|_| !hidden).map(|piece| self.show(piece, &mut saver))
                    {
                        None | Some(Shown::Well) => {}
                        Some(Shown::Lost) => lost_output = true,
                        Some(Shown::Closed(error)) => self.close(&error, &stop).await,
                    }
                    if last {
                        break;
                    }
                }
                Some(StreamItem::Event(_)) => {}
                // A kept session still has what they were, and gives it to its reader.
                Some(StreamItem::Missed { .. }) if self.kept.is_some() => told_session = false,
                Some(StreamItem::Missed { first_missed, last_missed }) => {
                    missed += last_missed.0.saturating_sub(first_missed.0).saturating_add(1);
                }
                // The log ends with the session; whatever ended it, the outcome says.
                None => break,
            }
        }
        // What holds the session besides this: a kept one is given back when nobody does.
        guard.shutdown().await;
        self.printer.status(None);
        self.printer.unask();
        let response = self.outcome().await?;
        if self.kept.is_some() && !self.showing.json {
            lost_output |= self.show_rest(&response, &mut shown, &mut saver, &stop).await;
        }
        if let Err(error) = self.printer.flush() {
            self.close(&error, &stop).await;
        }
        if let Some(left_out) = saver.left_out() {
            lost_output = true;
            self.printer.note(Tone::Warning, &format!("warning: {left_out}"));
        }
        // With --json the items come from the outcome, which counts what it lacks.
        if missed > 0 && !self.showing.json {
            lost_output = true;
            let note = format!(
                "warning: {missed} events came faster than they could be written; the output has gaps"
            );
            self.printer.note(Tone::Warning, &note);
        }
        let stop = stop.get().copied();
        let failed_calls = renderer.failed_calls();
        let told = renderer.told();
        Ok(Ended { response, stop, failed_calls, asked: renderer.asked(), told, lost_output })
    }

    /// Ends the cell because nothing more of it can be written.
    async fn close(&self, error: &WriteError, stop: &OnceLock<Stop>) {
        if !matches!(stop.get(), Some(Stop::Output(_))) {
            let exit = error.report(self.printer);
            end(self.session.as_ref(), &self.cell_id, Stop::Output(exit), stop).await;
        }
    }

    /// Returns how the program ends that leaves the cell to itself.
    fn leaves(&self) -> Option<Exit> {
        let kept = self.kept?;
        let exit = self.interrupt.exit().filter(|exit| leaves(*exit))?;
        self.printer.status(None);
        self.printer.unask();
        let name = kept.name;
        let note = format!("left {} as it is; `carrel resume {name}` lets it go on", self.cell_id);
        self.printer.note(Tone::Dim, &note);
        Some(exit)
    }

    /// Reads the outcome: with its items for `--json` and for what of them was not shown, without them when they have been.
    async fn outcome(&self) -> Result<CellResponse, Fault> {
        if self.kept.is_some() {
            return self.read_on().await;
        }
        let tokens = if self.showing.json { OUTPUT_BYTES / TOKEN_BYTES } else { 0 };
        let request = WaitRequest::new([self.cell_id.clone()]).after(Seq::START);
        self.wait(request.with_max_output_tokens(tokens)).await
    }

    /// Reads on as the session's reader: what this returns was read, whatever becomes of this program.
    async fn read_on(&self) -> Result<CellResponse, Fault> {
        let request = WaitRequest::new([self.cell_id.clone()]).with_yield_time(Duration::ZERO);
        self.wait(request.with_max_output_tokens(OUTPUT_BYTES / TOKEN_BYTES)).await
    }

    /// Shows what its reader was given and was not shown from its events. Tells whether something of it was lost.
    async fn show_rest(
        &self,
        response: &CellResponse,
        shown: &mut Seq,
        saver: &mut Saver<'_>,
        stop: &OnceLock<Stop>,
    ) -> bool {
        let mut lost = false;
        let observation = response.observation();
        for text in observation.notices.iter().flat_map(|notice| outcome::notice(notice, &self.cell_id)) {
            self.printer.note(Tone::Dim, &text);
        }
        for item in observation.items.iter().filter(|item| item.seq > *shown) {
            match self.show(renderer::piece(item.content.clone()), saver) {
                Shown::Well => {}
                Shown::Lost => lost = true,
                Shown::Closed(error) => {
                    self.close(&error, stop).await;
                    break;
                }
            }
        }
        *shown = observation.cursor.max(*shown);
        lost
    }

    async fn wait(&self, request: WaitRequest) -> Result<CellResponse, Fault> {
        let response = match self.session.wait(request).await {
            Ok(response) => response.cells.into_iter().next(),
            Err(error) => return Err((Exit::Internal, format!("failed to {error} ({})", error.code()))),
        };
        response.ok_or_else(|| (Exit::Internal, "failed to learn how the cell ended".into()))
    }

    fn show(&self, piece: Piece, saver: &mut Saver<'_>) -> Shown {
        match piece {
            Piece::Data(text) => self.printer.push(&text).map_or_else(Shown::Closed, |()| Shown::Well),
            Piece::Note(tone, text) => {
                self.printer.note(tone, &text);
                Shown::Well
            }
            Piece::Media { kind, data, mime_type } => {
                match saver.save(kind, &data, &mime_type) {
                    // Told once, at the end.
                    Ok(None) => Shown::Well,
                    Ok(Some(saved)) => {
                        let (path, size) = (saved.path.display(), show_bytes(saved.size));
                        self.printer.note(Tone::Plain, &format!("saved {path} ({mime_type}, {size})"));
                        Shown::Well
                    }
                    Err(error) => {
                        self.printer.note(Tone::Error, &format!("failed to {error}"));
                        Shown::Lost
                    }
                }
            }
        }
    }
}

/// Tells whether a program that ends so leaves the cells of a kept session to themselves: Ctrl-C is for the cell, and what
/// closes a terminal, or stops a machine, is for the program.
fn leaves(exit: Exit) -> bool {
    matches!(exit, Exit::HungUp | Exit::Asked)
}

fn is_last(kind: &EventKind) -> bool {
    matches!(kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. })
}

/// Ends the cell at Ctrl-C or when its time is up. Aborted, harmlessly, when the cell ended first.
async fn guard_time(
    session: Arc<dyn CodeModeSession>,
    cell_id: CellId,
    interrupt: Interrupt,
    timeout: Option<Duration>,
    is_kept: bool,
    stop: Arc<OnceLock<Stop>>,
) {
    let expiry = async {
        match timeout {
            Some(timeout) => {
                tokio::time::sleep(timeout).await;
                Stop::Timeout(timeout)
            }
            None => std::future::pending().await,
        }
    };
    let told = async {
        match interrupt.fired().await {
            exit if is_kept && leaves(exit) => std::future::pending().await,
            exit => Stop::Interrupt(exit),
        }
    };
    let why = tokio::select! {
        why = told => why,
        why = expiry => why,
    };
    end(session.as_ref(), &cell_id, why, &stop).await;
}

/// Terminates the cell, unless somebody does already.
async fn end(session: &dyn CodeModeSession, cell_id: &CellId, why: Stop, stop: &OnceLock<Stop>) {
    if stop.set(why).is_ok() {
        // The outcome is read when the last event has come. Only a lost host makes this fail, and then the
        // log ends too.
        session.terminate(cell_id.clone()).await.ok();
    }
}
