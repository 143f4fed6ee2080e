//! Follows a running cell: shows its events as they come, and ends it when its time is up, at Ctrl-C, or
//! when nobody reads what it writes.

use std::path::Path;
use std::time::Duration;

use carrel_contract::error::Coded;
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, EventKind, EventStream, Seq, StreamItem, TOKEN_BYTES, WaitRequest,
};
use futures::StreamExt as _;

use super::outcome::Stop;
use super::renderer::{Piece, Renderer};
use super::{Fault, OUTPUT_BYTES, media};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::terminal::Tone;
use crate::units::show_bytes;

/// A cell being followed, and what is needed for it.
pub(super) struct Following<'a> {
    pub(super) session: &'a dyn CodeModeSession,
    pub(super) cell_id: CellId,
    pub(super) interrupt: &'a Interrupt,
    pub(super) printer: &'a Printer,
    pub(super) timeout: Option<Duration>,
    pub(super) json: bool,
    pub(super) media_folder: &'a Path,
}

/// A cell that has ended.
pub(super) struct Ended {
    pub(super) response: CellResponse,
    /// Why this program ended it; `None` when it did not.
    pub(super) stop: Option<Stop>,
    pub(super) failed_calls: u64,
    /// Whether something the cell emitted was neither shown nor saved.
    pub(super) lost_output: bool,
}

/// What there is to do next.
enum Next {
    Event(Option<StreamItem>),
    Stop(Stop),
}

impl Following<'_> {
    /// Waits until the cell has ended; `events` are those of its session, from before it was admitted.
    pub(super) async fn to_the_end(&self, mut events: EventStream) -> Result<Ended, Fault> {
        let mut renderer = Renderer::default();
        let mut stop = None;
        let mut lost_output = false;
        let expired = expiry(self.timeout);
        tokio::pin!(expired);
        self.printer.status(Some(&renderer.status()));
        loop {
            let next = tokio::select! {
                biased;
                () = self.interrupt.cancelled(), if stop.is_none() => Next::Stop(Stop::Interrupt),
                limit = &mut expired, if stop.is_none() => Next::Stop(Stop::Timeout(limit)),
                event = events.next() => Next::Event(event),
            };
            match next {
                Next::Stop(why) => {
                    stop = Some(why);
                    self.terminate(why).await?;
                }
                Next::Event(Some(StreamItem::Event(event))) if event.cell_id == self.cell_id => {
                    let last = is_last(&event.kind);
                    // With --json the items come with the outcome.
                    let wanted = !(self.json && matches!(event.kind, EventKind::Output { .. }));
                    if let Some(piece) = renderer.event(event)
                        && wanted
                        && !matches!(stop, Some(Stop::Output(_)))
                    {
                        match self.show(piece) {
                            Shown::Well => {}
                            Shown::Lost => lost_output = true,
                            Shown::Closed(exit) => {
                                let why = Stop::Output(exit);
                                stop = Some(why);
                                self.terminate(why).await?;
                            }
                        }
                    }
                    if last {
                        break;
                    }
                    self.printer.status(Some(&renderer.status()));
                }
                Next::Event(Some(StreamItem::Event(_))) => {}
                Next::Event(Some(StreamItem::Missed { first_missed, last_missed })) => {
                    // With --json the items come from the outcome, which counts what it lacks.
                    if !self.json {
                        lost_output = true;
                        let count = last_missed.0.saturating_sub(first_missed.0).saturating_add(1);
                        let note = format!(
                            "warning: {count} events came faster than they could be shown and were dropped"
                        );
                        self.printer.note(Tone::Warning, &note);
                    }
                }
                // The log ends with the session; whatever ended it, the outcome says.
                Next::Event(None) => break,
            }
        }
        self.printer.status(None);
        let response = self.outcome().await?;
        Ok(Ended { response, stop, failed_calls: renderer.failed_calls(), lost_output })
    }

    async fn terminate(&self, why: Stop) -> Result<(), Fault> {
        if why == Stop::Interrupt {
            self.printer.note(Tone::Dim, "interrupted: ending the cell (Ctrl-C again leaves at once)");
        }
        // The response is read later, by `wait`, when its events have been shown.
        match self.session.terminate(self.cell_id.clone()).await {
            Ok(_) => Ok(()),
            Err(error) => Err((Exit::Internal, format!("failed to {error} ({})", error.code()))),
        }
    }

    /// Reads the outcome: with its items for `--json`, without them when they have been shown.
    async fn outcome(&self) -> Result<CellResponse, Fault> {
        let tokens = if self.json { OUTPUT_BYTES / TOKEN_BYTES } else { 0 };
        let request =
            WaitRequest::new([self.cell_id.clone()]).after(Seq::START).with_max_output_tokens(tokens);
        let response = match self.session.wait(request).await {
            Ok(response) => response.cells.into_iter().next(),
            Err(error) => return Err((Exit::Internal, format!("failed to {error} ({})", error.code()))),
        };
        response.ok_or_else(|| (Exit::Internal, "failed to learn how the cell ended".into()))
    }

    fn show(&self, piece: Piece) -> Shown {
        match piece {
            Piece::Data(text) => match self.printer.data(&text) {
                Ok(()) => Shown::Well,
                Err(error) => Shown::Closed(error.report(self.printer)),
            },
            Piece::Note(tone, text) => {
                self.printer.note(tone, &text);
                Shown::Well
            }
            Piece::Media { kind, data, mime_type } => {
                match media::save(self.media_folder, kind, &data, &mime_type) {
                    Ok(saved) => {
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

/// What became of a piece.
enum Shown {
    /// It was shown or saved.
    Well,
    /// It could not be saved.
    Lost,
    /// Standard output takes no more.
    Closed(Exit),
}

fn is_last(kind: &EventKind) -> bool {
    matches!(kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. })
}

/// Resolves when the time is up, and never without a limit.
async fn expiry(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}
