//! What the log knows of one cell.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{
    CellError, CellId, CellResponse, Completed, IdempotencyKey, JsonText, Notice, Observation, Read, Seq,
    Terminated, TerminationReason, ToolCallId, Usage, Yielded,
};
use carrel_journal::BlobHash;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::budget;
use super::window::OutputWindow;

/// The `yield_control()`s of a cell that are remembered one by one: an observer that is told of one leaves soon.
const KEPT_YIELDS: usize = 256;

/// How a cell ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Completed { result: Option<JsonText>, error: Option<CellError>, warnings: Vec<String> },
    Terminated { reason: TerminationReason, abandoned: Vec<ToolCallId> },
}

/// What a cell was admitted under, so that the same request is known when it comes again.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) key: IdempotencyKey,
    pub(crate) source: BlobHash,
}

impl Keyed {
    pub(crate) fn new(key: IdempotencyKey, source: &str) -> Self {
        Self { key, source: BlobHash::of(source.as_bytes()) }
    }
}

/// One cell: its output, its outcome and how far its session's reader has read.
#[derive(Debug)]
pub(crate) struct CellLog {
    pub(crate) output: OutputWindow,
    /// The last entry of this cell.
    pub(crate) last: Seq,
    /// The last entry that is output.
    pub(crate) last_output: Seq,
    /// The last `yield_control()`.
    pub(crate) last_yield: Seq,
    /// The last of its `yield_control()`s.
    pub(super) yields: VecDeque<Seq>,
    /// Where a wait without a cursor begins.
    pub(crate) read_up_to: Seq,
    pub(crate) cpu_time: Duration,
    pub(crate) tool_calls: u64,
    /// What its reader is to be told with the next response.
    pub(crate) notices: Vec<Notice>,
    /// Wakes observers, at each entry.
    pub(crate) changed: Arc<Notify>,
    pub(super) admitted_at: Instant,
    pub(super) ended: Option<Ended>,
    pub(super) keyed: Option<Keyed>,
}

#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// The number of the event.
    pub(super) seq: Seq,
    pub(super) elapsed: Duration,
    /// The cursor with which the session's reader read the outcome first: reading it again gives the same again.
    pub(super) first_read_after: Option<Seq>,
    pub(super) was_read: bool,
}

/// Who reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader {
    /// The session's own reader, from where it stands.
    Session,
    /// The same, with the cell's first response.
    First,
    /// Somebody with a cursor of their own.
    At(Seq),
    /// The session's own reader, who is moved on when it says so.
    Look,
    /// The same, with the cell's first response.
    LookFirst,
    /// Somebody with a cursor of their own, who says so when it is read.
    LookAt(Seq),
}

impl CellLog {
    pub(crate) fn new(text_bytes: usize, media_bytes: usize, now: Instant) -> Self {
        Self {
            output: OutputWindow::new(text_bytes, media_bytes),
            last: Seq::START,
            last_output: Seq::START,
            last_yield: Seq::START,
            yields: VecDeque::new(),
            read_up_to: Seq::START,
            cpu_time: Duration::ZERO,
            tool_calls: 0,
            notices: Vec::new(),
            changed: Arc::default(),
            admitted_at: now,
            ended: None,
            keyed: None,
        }
    }

    pub(super) fn note_yield(&mut self, seq: Seq) {
        self.last_yield = seq;
        if self.yields.len() == KEPT_YIELDS {
            self.yields.pop_front();
        }
        self.yields.push_back(seq);
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Tells whether there is more of it than its session's reader was given.
    pub(crate) fn is_unread(&self) -> bool {
        self.read_up_to < self.last
    }

    pub(crate) fn end(&mut self, outcome: Outcome, now: Instant) {
        self.end_after(outcome, now - self.admitted_at);
    }

    /// Ends it, having taken so long.
    pub(crate) fn end_after(&mut self, outcome: Outcome, elapsed: Duration) {
        self.ended =
            Some(Ended { outcome, seq: self.last, elapsed, first_read_after: None, was_read: false });
    }

    /// Tells whether anybody has read how it ended.
    pub(crate) fn was_read(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.was_read)
    }

    /// Does again what a response did: moves its session's reader, or, where that stays, was another's.
    pub(crate) fn read(&mut self, cursor: Seq) {
        let has_moved = cursor > self.read_up_to;
        // One that stopped short of the end was made before it and written down after it.
        if let Some(ended) = self.ended.as_mut().filter(|ended| !has_moved || cursor >= ended.seq) {
            if has_moved {
                ended.first_read_after.get_or_insert(self.read_up_to);
            }
            ended.was_read = true;
        }
        self.output.read_up_to(cursor);
        self.read_up_to = self.read_up_to.max(cursor);
    }

    /// Moves its session's reader past what a look gave it.
    pub(crate) fn note_read(&mut self, read: &Read) {
        let after = read.after.unwrap_or(self.read_up_to);
        if read.moves {
            if !read.earlier {
                self.notices.clear();
            }
            self.read_up_to = self.read_up_to.max(read.cursor.min(self.last));
        }
        if let Some(ended) = self.ended.as_mut().filter(|ended| ended.seq <= read.cursor) {
            if read.moves {
                ended.first_read_after.get_or_insert(after);
            }
            ended.was_read = true;
        }
    }

    /// Makes a response for a reader. Only the session's own reader is moved on.
    pub(crate) fn respond(
        &mut self,
        cell_id: &CellId,
        reader: Reader,
        max_tokens: usize,
        now: Instant,
        upto: Seq,
    ) -> CellResponse {
        let last = self.last.min(upto);
        let read_before = self.ended.as_ref().and_then(|ended| ended.first_read_after);
        let after = match reader {
            Reader::Session | Reader::Look => read_before.unwrap_or(self.read_up_to),
            Reader::First | Reader::LookFirst => Seq::START,
            Reader::At(after) | Reader::LookAt(after) => after,
        };
        let (mut items, dropped_bytes) = self.output.after(after);
        items.retain(|item| item.seq <= upto);
        let (items, cut_bytes) = budget::cut(items, max_tokens);
        let mut observation = Observation::new(cell_id.clone(), last.max(after));
        observation.items = items;
        observation.omitted_bytes = cut_bytes + dropped_bytes;
        observation.usage = self.usage(now);
        self.output.read_up_to(last);
        let moves = matches!(reader, Reader::Session | Reader::First);
        if matches!(reader, Reader::Look | Reader::LookFirst) {
            observation.notices.clone_from(&self.notices);
        }
        if moves {
            self.read_up_to = self.read_up_to.max(last);
            observation.notices = mem::take(&mut self.notices);
        }

        let Some(ended) = self.ended.as_mut().filter(|ended| ended.seq <= upto) else {
            return CellResponse::Yielded(Yielded::new(observation));
        };
        if moves {
            ended.first_read_after.get_or_insert(after);
        }
        let was_read = ended.was_read;
        ended.was_read |= !matches!(reader, Reader::Look | Reader::LookFirst | Reader::LookAt(_));
        match ended.outcome.clone() {
            Outcome::Completed { result, error, warnings } => {
                let mut completed = Completed::new(observation);
                completed.result = result;
                completed.error = error;
                completed.warnings = warnings;
                completed.read_before = was_read;
                CellResponse::Completed(completed)
            }
            Outcome::Terminated { reason, abandoned } => {
                let mut terminated = Terminated::new(observation, reason);
                terminated.abandoned = abandoned;
                terminated.read_before = was_read;
                CellResponse::Terminated(terminated)
            }
        }
    }

    pub(crate) fn usage(&self, now: Instant) -> Usage {
        let mut usage = Usage::default();
        let elapsed = self.ended.as_ref().map_or_else(|| now - self.admitted_at, |ended| ended.elapsed);
        usage.cpu_time = whole_micros(self.cpu_time);
        usage.tool_calls = self.tool_calls;
        usage.elapsed = whole_micros(elapsed);
        usage
    }
}

/// Cuts a time to what a journal keeps of it, so that a session that has slept shows the same as one that has not.
fn whole_micros(time: Duration) -> Duration {
    time - Duration::from_nanos(u64::from(time.subsec_nanos() % 1_000))
}

#[cfg(test)]
mod tests {
    use carrel_contract::{Content, OutputItem};

    use super::*;

    /// A cell that showed two things and ended, as its journal has it.
    fn ended() -> CellLog {
        let mut cell = CellLog::new(1000, 1000, Instant::now());
        for seq in [1, 2] {
            cell.output.push(OutputItem { seq: Seq(seq), content: Content::text("x") });
        }
        cell.last = Seq(3);
        cell.end(Outcome::Completed { result: None, error: None, warnings: Vec::new() }, Instant::now());
        cell
    }

    fn respond(cell: &mut CellLog) -> usize {
        let id = CellId::new("cell-1").unwrap();
        cell.respond(&id, Reader::Session, 100, Instant::now(), Seq(3)).observation().items.len()
    }

    #[test]
    fn a_response_made_before_the_end_and_written_down_after_it_is_not_the_last() {
        let mut cell = ended();
        cell.read(Seq(2));
        assert_eq!((cell.was_read(), respond(&mut cell)), (false, 0));
        let mut cell = ended();
        cell.read(Seq(3));
        assert_eq!((cell.was_read(), respond(&mut cell)), (true, 2), "the last one is given again");
    }
}
