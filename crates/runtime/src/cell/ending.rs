//! How a cell comes to its end, from the guest's last instruction to the visible outcome.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::{
    CellError, CellErrorKind, CellId, Dialect, EarlierCell, JsonText, TerminationReason, ToolCallId,
};
use carrel_journal::Record;
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::actor::{Cell, End};
use super::callbacks::Done;
use super::opening::Opening;
use super::{callbacks, translate};
use crate::journal;
use crate::log::Outcome;
use crate::number::CellNumber;
use crate::shared::Core;

/// The bytes of keys from which on they have a record of their own, beside the cell's end.
const REFUSED_BYTES: usize = 16 * 1024;
/// So many calls that were abandoned are named.
const ABANDONED: usize = 10_000;

/// The result and the error of a cell that came to its end by itself; or why it was ended.
type Natural = Result<(Option<JsonText>, Option<CellError>), TerminationReason>;

/// Runs a cell from its first turn to its visible outcome. Even a fault of ours leaves an outcome and a free place.
pub(crate) async fn run(cell: Cell, opening: Opening) {
    let (core, id, number) = (Arc::clone(&cell.core), cell.id.clone(), cell.number);
    core.shared.ticker.remember(Handle::current());
    let ran = AssertUnwindSafe(async move {
        let mut cell = cell;
        let end = cell.drive(opening).await;
        cell.finish(end).await;
    });
    if let Err(panic) = ran.catch_unwind().await {
        let detail = format!("the cell's actor panicked: {}", callbacks::panic_text(&*panic));
        let error = Some(CellError::new(CellErrorKind::Trap, "EngineFault", detail));
        callbacks::close(&core, &id).await;
        let outcome = Outcome::Completed { result: None, error, warnings: Vec::new() };
        core.leave(number, || show(&core, &id, number, outcome, Vec::new()));
    }
}

impl Cell {
    /// Ends the cell. No guest code runs any more.
    ///
    /// First the variables are saved, then comes what the guest still wanted delivered, then the callbacks, then the stored values, and the outcome
    /// last: whoever sees it finds everything else done.
    async fn finish(mut self, end: End) {
        let natural = match end {
            End::Natural(ending) => {
                let mut natural = translate::ending(ending, self.core.limits.memory_bytes);
                if let Some((_, Some(error))) = &mut natural {
                    let dialect = self.core.dialect;
                    if let Some(written) = self.written.take() {
                        written.explain(error, translate::file(dialect));
                    }
                    if dialect == Dialect::Codex {
                        translate::as_text(error);
                    }
                }
                natural.ok_or_else(|| self.control.reason())
            }
            End::Failed(error) => Ok((None, Some(error))),
            End::Terminated(reason) => Err(reason),
            End::Parked => return self.hand_over(),
            End::Suspended => return self.leave().await,
        };
        if natural.is_ok() {
            self.save_variables().await;
            self.deliver_notifications().await;
            if self.control.is_suspended() && self.callbacks.undelivered > 0 {
                // It ends when its session is back, and has delivered them.
                return self.leave().await;
            }
            self.warn_of_unanswered_calls();
            if self.core.dialect == Dialect::Codex {
                self.begin_last_calls().await;
            }
        }
        let abandoned = self.end_callbacks().await;
        // What cannot be written down has no end that anybody is shown, but its place is given back.
        self.core.settled().await.ok();
        callbacks::close(&self.core, &self.id).await;
        let core = Arc::clone(&self.core);
        core.leave(self.number, || {
            let (outcome, refused) = self.outcome(natural, abandoned);
            self.telemetry.ended(&outcome);
            show(&self.core, &self.id, self.number, outcome, refused);
        });
        core.flush();
    }

    /// Leaves without an end, which comes when the session is back.
    async fn leave(mut self) {
        self.end_callbacks().await;
        self.core.leave(self.number, || ());
    }

    /// Commits what the cell leaves, and returns how it ended, with the keys of what was not stored.
    fn outcome(&mut self, natural: Natural, abandoned: Vec<ToolCallId>) -> (Outcome, Vec<String>) {
        let (result, error) = match natural {
            Ok(natural) => natural,
            Err(reason) => return (Outcome::Terminated { reason, abandoned }, Vec::new()),
        };
        if !abandoned.is_empty() {
            self.warnings
                .add(&format!("ignored their cancellation and were abandoned: {}", names(&abandoned)));
        }
        if let (Some(turn), Some(variables)) = (&self.turn, self.variables.take()) {
            if let Some(blob) = self.variables_kept {
                let signature = self.core.shared.trust.sign(blob);
                let mut kept = BTreeSet::new();
                journal::keep_names(&mut kept, std::mem::take(&mut self.names));
                let names = Some(kept.into_iter().collect());
                self.core.note(|| Record::VariablesLeft { cell: self.number.0, blob, signature, names });
            }
            turn.leave(variables);
            if let Some(source) = self.declares.take().filter(|_| !is_unrun(error.as_ref())) {
                turn.left_by(EarlierCell::new(source, error.is_none()));
            }
        }
        let writes = std::mem::take(&mut self.writes);
        if error.as_ref().is_some_and(|error| error.kind == CellErrorKind::ReplayDivergence) {
            // What it stored is of a run that nobody knows the rest of.
            return (
                Outcome::Completed { result, error, warnings: self.warnings.take() },
                writes.into_keys().collect(),
            );
        }
        let refused = self.core.stored.commit(writes);
        if !refused.is_empty() {
            let keys = refused.join(", ");
            self.warnings.add(&format!(
                "over the session's quota beside what other cells stored, and not stored: {keys}"
            ));
        }
        let limit = self.core.limits.output_bytes;
        let result = result.filter(|json| {
            let bytes = json.as_str().len();
            if bytes > limit {
                let message = format!(
                    "the result has {bytes} bytes, more than `output_bytes` = {limit}, and was dropped"
                );
                self.warnings.add(&message);
            }
            bytes <= limit
        });
        (Outcome::Completed { result, error, warnings: self.warnings.take() }, refused)
    }

    /// Waits for the notifications under way, unless somebody wants the cell gone.
    async fn deliver_notifications(&mut self) {
        let limit = self.core.limits.notify_time;
        let control = Arc::clone(&self.control);
        let deliver = async {
            while self.callbacks.undelivered > 0 {
                tokio::select! {
                    biased;
                    done = self.callbacks.next() => match done {
                        Done::Answered(answer) => drop(self.answered(answer)),
                        Done::Delivered(delivered) => self.notified(delivered),
                    },
                    _ = control.requested() => break,
                }
            }
        };
        if timeout(limit, deliver).await.is_err() {
            let left = self.callbacks.undelivered;
            self.warnings
                .add(&format!("{left} notifications were not delivered within `notify_time` = {limit:?}"));
        }
    }

    /// In that dialect what a cell calls is called, also in its last turn, and cancelled only then.
    async fn begin_last_calls(&mut self) {
        let control = Arc::clone(&self.control);
        let begun = async {
            tokio::select! {
                biased;
                () = self.callbacks.begun() => {}
                _ = control.requested() => {}
            }
        };
        // A delegate that blocks its thread could hold that up.
        timeout(self.core.limits.callback_grace, begun).await.ok();
    }

    /// A call that nobody awaited is cancelled with its cell: the author should hear of it.
    fn warn_of_unanswered_calls(&mut self) {
        let unanswered = self.callbacks.unanswered();
        if !unanswered.is_empty() {
            let message =
                "the cell ended before these tool calls were answered, and they were cancelled; await them";
            self.warnings.add(&format!("{message}: {}", names(&unanswered)));
        }
    }

    /// Cancels the callbacks and gives them their grace. Returns the calls that did not end in it.
    async fn end_callbacks(&mut self) -> Vec<ToolCallId> {
        self.callbacks.cancel.cancel();
        timeout(self.core.limits.callback_grace, self.callbacks.join()).await.ok();
        let mut abandoned = self.callbacks.unanswered();
        abandoned.truncate(ABANDONED);
        self.callbacks.abandon().await;
        abandoned
    }
}

/// Tells whether a cell declared nothing because it never ran.
fn is_unrun(error: Option<&CellError>) -> bool {
    error.is_some_and(|error| error.kind == CellErrorKind::Syntax)
}

/// Writes down how a cell ended, and shows it.
fn show(core: &Core, cell_id: &CellId, number: CellNumber, outcome: Outcome, mut refused: Vec<String>) {
    if refused.iter().map(String::len).sum::<usize>() > REFUSED_BYTES {
        let keys = journal::as_json(&std::mem::take(&mut refused));
        core.note(|| Record::Unstored { cell: number.0, keys });
    }
    let ended_at_us = core.now_us();
    core.log.end(cell_id, outcome, |outcome, usage| Record::CellEnded {
        cell: number.0,
        outcome: journal::outcome(outcome),
        refused,
        usage: journal::usage(usage),
        ended_at_us,
    });
}

fn names(calls: &[ToolCallId]) -> String {
    calls.iter().map(ToolCallId::as_str).collect::<Vec<_>>().join(", ")
}
