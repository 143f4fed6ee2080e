//! The log as it is at a moment, in the journal's words, and back.
//!
//! Output is written once, whether the window of its cell has it, or the newest events, or both.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use carrel_contract::{Content, Event, EventKind, IdempotencyKey, Notice, OutputItem, Seq};
use carrel_journal::fold::{self, Fold};
use tokio::time::Instant;

use super::cell_log::{CellLog, Ended, Keyed};
use super::session_log::SessionLog;
use super::window::{self, Window};
use crate::journal::{self, Clock, Nonsense};
use crate::number::CellNumber;

impl SessionLog {
    /// Writes down what the log has, without the outcomes that have become too old.
    pub(crate) fn fold_into(&self, fold: &mut Fold, clock: &Clock) {
        let state = self.fresh();
        let mut outputs: BTreeMap<Seq, &Content> = BTreeMap::new();
        let order: HashMap<_, _> = state.ended.iter().map(|(id, _)| id).zip(0_usize..).collect();
        let mut cells: Vec<_> = state.cells.iter().collect();
        // Those that run come last; of these, and among those that ended in one moment, the number decides.
        cells.sort_by_key(|(id, _)| (order.get(id).copied().unwrap_or(usize::MAX), CellNumber::of(id)));
        for (_, cell) in &cells {
            for window in [&cell.output.text, &cell.output.media] {
                outputs.extend(window.head.iter().chain(&window.tail).map(|item| (item.seq, &item.content)));
            }
        }
        for event in &state.recent {
            let cell = CellNumber::of(&event.cell_id).unwrap_or_default().0;
            let kind = if let EventKind::Output { content } = &event.kind {
                outputs.insert(event.seq, content);
                None
            } else {
                Some(journal::as_json(&event.kind))
            };
            fold.events.push(fold::Event { seq: event.seq.0, cell, kind });
        }
        fold.last = state.last.0;
        fold.newest_cell = state.newest_cell.0;
        fold.lost = lost(&state.next_notices);
        fold.outputs = outputs
            .into_iter()
            .map(|(seq, content)| fold::Item { seq: seq.0, content: journal::content(content) })
            .collect();
        fold.cells = cells
            .into_iter()
            .map(|(id, cell)| {
                let ended_at = state.ended.get(order.get(id).copied().unwrap_or(usize::MAX));
                fold_cell(CellNumber::of(id).unwrap_or_default(), cell, ended_at.map(|(_, at)| *at), clock)
            })
            .collect();
    }

    /// Makes the log what was written down; it must be new.
    pub(crate) fn unfold(&self, fold: &mut Fold, clock: &Clock) -> Result<(), Nonsense> {
        let mut outputs = BTreeMap::new();
        for item in std::mem::take(&mut fold.outputs) {
            outputs.insert(Seq(item.seq), journal::content_back(item.content)?);
        }
        let mut state = self.lock();
        state.last = Seq(fold.last);
        state.newest_cell = CellNumber(fold.newest_cell);
        state.next_notices.extend(fold.lost.take().map(lost_notice));
        for event in std::mem::take(&mut fold.events) {
            let kind = match event.kind {
                Some(kind) => journal::json_of(kind)?,
                None => EventKind::Output { content: output(&outputs, event.seq)? },
            };
            let event = Event::new(Seq(event.seq), CellNumber(event.cell).id()?, kind);
            if state.recent.back().is_some_and(|before| before.seq.next() != event.seq) {
                return Err(Nonsense(format!("event {} does not follow on the one before", event.seq.0)));
            }
            state.keep(event, self.limits.kept_events);
        }
        if state.recent.back().is_some_and(|event| event.seq != state.last) {
            return Err(Nonsense("the newest events are not there".to_owned()));
        }
        for cell in std::mem::take(&mut fold.cells) {
            let number = CellNumber(cell.cell);
            let admitted_at = clock.instant(cell.admitted_at_us);
            let mut log = CellLog::new(self.limits.output_bytes, self.limits.media_bytes, admitted_at);
            unfold_window(&mut log.output.text, cell.text, &outputs)?;
            unfold_window(&mut log.output.media, cell.media, &outputs)?;
            let (last, last_output, last_yield) = cell.last;
            (log.last, log.last_output, log.last_yield) = (Seq(last), Seq(last_output), Seq(last_yield));
            log.read_up_to = Seq(cell.read_up_to);
            log.notices.extend(cell.lost.map(lost_notice));
            if let Some(ended) = cell.ended {
                state.ended.push_back((number.id()?, clock.instant(ended.at_us)));
                log.cpu_time = Duration::from_micros(ended.usage.cpu_us);
                log.tool_calls = ended.usage.tool_calls;
                log.ended = Some(Ended {
                    outcome: journal::outcome_back(ended.outcome)?,
                    seq: Seq(ended.seq),
                    elapsed: Duration::from_micros(ended.usage.elapsed_us),
                    first_read_after: ended.first_read_after.map(Seq),
                    was_read: ended.was_read,
                });
            }
            if let Some(fold::Key { key, source }) = cell.key {
                log.keyed = Some(Keyed { key: IdempotencyKey::new(&key)?, source });
            }
            state.insert(number.id()?, log);
        }
        Ok(())
    }
}

fn fold_cell(number: CellNumber, cell: &CellLog, ended_at: Option<Instant>, clock: &Clock) -> fold::Cell {
    let ended = cell.ended.as_ref().map(|ended| fold::Ended {
        outcome: journal::outcome(&ended.outcome),
        seq: ended.seq.0,
        at_us: ended_at.map_or(0, |at| clock.us(at)),
        usage: journal::usage(cell.usage(Instant::now())),
        first_read_after: ended.first_read_after.map(|seq| seq.0),
        was_read: ended.was_read,
    });
    fold::Cell {
        cell: number.0,
        admitted_at_us: clock.us(cell.admitted_at),
        text: fold_window(&cell.output.text),
        media: fold_window(&cell.output.media),
        last: (cell.last.0, cell.last_output.0, cell.last_yield.0),
        read_up_to: cell.read_up_to.0,
        ended,
        key: cell
            .keyed
            .as_ref()
            .map(|keyed| fold::Key { key: keyed.key.as_str().to_owned(), source: keyed.source }),
        lost: lost(&cell.notices),
    }
}

/// Returns the variables that a reader is to be told are lost. What else there is to be told is of a recovery, and is
/// found out anew by the next.
fn lost(notices: &[Notice]) -> Option<fold::Lost> {
    notices.iter().rev().find_map(|notice| match notice {
        Notice::VariablesLost { names, why } => Some(fold::Lost { names: names.clone(), why: why.clone() }),
        _ => None,
    })
}

fn lost_notice(fold::Lost { names, why }: fold::Lost) -> Notice {
    Notice::VariablesLost { names, why }
}

fn fold_window(window: &Window) -> fold::Window {
    fold::Window {
        head: window.head.iter().map(|item| item.seq.0).collect(),
        tail: window.tail.iter().map(|item| item.seq.0).collect(),
        tail_pushed: window.tail_pushed,
        dropped: window.dropped,
        last_dropped: window.last_dropped.0,
        places: window.places.iter().map(|(place, pushed)| (place.0, *pushed)).collect(),
    }
}

fn unfold_window(
    window: &mut Window,
    folded: fold::Window,
    outputs: &BTreeMap<Seq, Content>,
) -> Result<(), Nonsense> {
    let item = |seq| Ok(OutputItem { seq: Seq(seq), content: output(outputs, seq)? });
    window.head = folded.head.into_iter().map(item).collect::<Result<_, Nonsense>>()?;
    window.tail = folded.tail.into_iter().map(item).collect::<Result<_, Nonsense>>()?;
    window.head_cost = window.head.iter().map(window::cost).sum();
    window.tail_cost = window.tail.iter().map(window::cost).sum();
    window.tail_pushed = folded.tail_pushed;
    window.dropped = folded.dropped;
    window.last_dropped = Seq(folded.last_dropped);
    window.places = folded.places.into_iter().map(|(place, pushed)| (Seq(place), pushed)).collect();
    Ok(())
}

fn output(outputs: &BTreeMap<Seq, Content>, seq: u64) -> Result<Content, Nonsense> {
    outputs.get(&Seq(seq)).cloned().ok_or_else(|| Nonsense(format!("output {seq} is not there")))
}
