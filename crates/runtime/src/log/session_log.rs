//! Appends and reads, under one lock that is never held across an await or a callback.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use carrel_contract::error::{KeyReused, OutcomeExpired, TerminateError, UnknownCell, WaitError};
use carrel_contract::{
    CellId, CellResponse, Content, Event, EventKind, IdempotencyKey, Limits, Notice, OutputItem, Read, Seq,
    ToolCallId, Usage, WaitUntil,
};
use carrel_journal::Record;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::cell_log::{CellLog, Keyed, Outcome, Reader};
use super::window::{self, ITEM_BYTES};
use crate::inspect::KeptCell;
use crate::journal::Journal;
use crate::number::CellNumber;

/// The events kept for readers of the log hold no more than this, whatever their count: a few full windows.
const KEPT_EVENT_BYTES: usize = 32 * 1024 * 1024;

/// A cell that the log does not have.
#[derive(Debug)]
pub(crate) enum Missing {
    Never(UnknownCell),
    NoLonger(OutcomeExpired),
}

impl From<Missing> for WaitError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Never(error) => error.into(),
            Missing::NoLonger(error) => error.into(),
        }
    }
}

impl From<Missing> for TerminateError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Never(error) => error.into(),
            Missing::NoLonger(error) => error.into(),
        }
    }
}

/// The log of one session.
#[derive(Debug)]
pub(crate) struct SessionLog {
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Where a session that outlives its process writes its log down, in the log's order.
    journal: OnceLock<Arc<Journal>>,
    /// Wakes those who follow the log.
    pub(super) appended: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) last: Seq,
    /// The newest events, without a gap, up to `last`.
    pub(super) recent: VecDeque<Event>,
    recent_bytes: usize,
    pub(super) cells: HashMap<CellId, CellLog>,
    /// Which of them was admitted under a key.
    pub(super) keys: HashMap<IdempotencyKey, CellId>,
    /// Ended cells, oldest first.
    pub(super) ended: VecDeque<(CellId, Instant)>,
    pub(super) newest_cell: CellNumber,
    /// What the reader of the next cell is to be told.
    pub(super) next_notices: Vec<Notice>,
    /// Nothing will be appended any more.
    pub(super) closed: bool,
}

impl SessionLog {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), journal: OnceLock::new(), appended: Notify::new() }
    }

    /// Writes the log down from now on.
    pub(crate) fn write_to(&self, journal: Arc<Journal>) {
        // Set once, where the session is made.
        drop(self.journal.set(journal));
    }

    /// Returns where the log is written down.
    pub(crate) fn journal(&self) -> Option<&Arc<Journal>> {
        self.journal.get()
    }

    /// Begins the log of a cell.
    pub(crate) fn admit(
        &self,
        cell_id: &CellId,
        number: CellNumber,
        keyed: Option<Keyed>,
        record: impl FnOnce() -> Record,
    ) {
        self.begin(cell_id, number, keyed, Instant::now(), record);
    }

    /// The same, of a cell that was admitted earlier.
    pub(crate) fn admit_at(&self, cell_id: &CellId, number: CellNumber, keyed: Option<Keyed>, at: Instant) {
        self.begin(cell_id, number, keyed, at, || {
            unreachable!("a log that is read has no journal of its own")
        });
    }

    /// Returns the cell that was admitted under a key, while it is known.
    ///
    /// # Errors
    /// [`KeyReused`] when its source was another.
    pub(crate) fn keyed(&self, keyed: &Keyed) -> Result<Option<CellId>, KeyReused> {
        let state = self.fresh();
        let Some(cell_id) = state.keys.get(&keyed.key) else { return Ok(None) };
        let known = state.cells.get(cell_id).and_then(|cell| cell.keyed.as_ref());
        if known.is_some_and(|known| known.source != keyed.source) {
            return Err(KeyReused { cell_id: cell_id.clone() });
        }
        Ok(Some(cell_id.clone()))
    }

    fn begin(
        &self,
        cell_id: &CellId,
        number: CellNumber,
        keyed: Option<Keyed>,
        at: Instant,
        record: impl FnOnce() -> Record,
    ) {
        let mut state = self.lock();
        state.newest_cell = state.newest_cell.max(number);
        let mut cell = CellLog::new(self.limits.output_bytes, self.limits.media_bytes, at);
        cell.keyed = keyed;
        cell.notices = std::mem::take(&mut state.next_notices);
        state.insert(cell_id.clone(), cell);
        self.append_to(state, cell_id, EventKind::CellAdmitted, |_| record(), |_| ());
    }

    /// Appends an event of a living cell. `record` says how it is written down, where it is.
    pub(crate) fn append(
        &self,
        cell_id: &CellId,
        kind: EventKind,
        record: impl FnOnce(&EventKind) -> Record,
    ) {
        self.append_to(self.lock(), cell_id, kind, record, |_| ());
    }

    /// Appends the end of a cell and makes its outcome visible.
    pub(crate) fn end(
        &self,
        cell_id: &CellId,
        outcome: Outcome,
        record: impl FnOnce(&Outcome, Usage) -> Record,
    ) {
        let now = Instant::now();
        let mut state = self.lock();
        state.ended.push_back((cell_id.clone(), now));
        let forgotten = state.forget_old(&self.limits, now);
        let usage = state.cells.get(cell_id).map(|cell| cell.usage(now)).unwrap_or_default();
        let said = outcome.clone();
        let record = |_: &EventKind| record(&said, usage);
        self.append_to(state, cell_id, end_event(&outcome), record, |cell| cell.end(outcome, now));
        tell(&forgotten);
    }

    /// The same, of a cell that ended earlier, having used so much.
    pub(crate) fn end_at(
        &self,
        cell_id: &CellId,
        outcome: Outcome,
        used: carrel_journal::record::Usage,
        at: Instant,
    ) {
        let mut state = self.lock();
        state.ended.push_back((cell_id.clone(), at));
        let no_record = |_: &EventKind| unreachable!("a log that is read has no journal of its own");
        self.append_to(state, cell_id, end_event(&outcome), no_record, |cell| {
            cell.cpu_time = Duration::from_micros(used.cpu_us);
            cell.tool_calls = used.tool_calls;
            cell.end_after(outcome, Duration::from_micros(used.elapsed_us));
        });
    }

    /// Moves the session's reader, as it was moved before the session was lost.
    pub(crate) fn read_up_to(&self, cell_id: &CellId, cursor: Seq) {
        if let Some(cell) = self.lock().cells.get_mut(cell_id) {
            cell.notices.clear();
            cell.read(cursor);
        }
    }

    /// Says how far the session's reader has read the cells that are here.
    pub(crate) fn readers(&self) -> Vec<KeptCell> {
        let state = self.lock();
        let cells = state.cells.iter().map(|(id, cell)| KeptCell {
            id: id.clone(),
            is_running: !cell.is_ended(),
            read_up_to: cell.read_up_to,
            is_unread: cell.is_unread(),
        });
        cells.collect()
    }

    /// Has a reader of a cell told something with the next response.
    pub(crate) fn notice(&self, cell_id: &CellId, notice: Notice) {
        if let Some(cell) = self.lock().cells.get_mut(cell_id) {
            cell.notices.push(notice);
        }
    }

    /// Has the reader of the next cell told something with its first response.
    pub(crate) fn say_next(&self, notice: Notice) {
        self.lock().next_notices.push(notice);
    }

    /// Tells whether a reader is to be told something that is written down nowhere.
    pub(crate) fn has_notices(&self) -> bool {
        self.lock().cells.values().any(|cell| !cell.notices.is_empty())
    }

    /// Has a reader of a cell told what became of a call that was under way when the session was lost.
    pub(crate) fn call_made_good(&self, cell_id: &CellId, call_id: &ToolCallId, repeated: bool) {
        let mut state = self.lock();
        let Some(cell) = state.cells.get_mut(cell_id) else { return };
        if !cell.notices.iter().any(|notice| matches!(notice, Notice::Recovered { .. })) {
            cell.notices.push(Notice::Recovered { repeated: Vec::new(), unknown: Vec::new() });
        }
        for notice in &mut cell.notices {
            if let Notice::Recovered { repeated: again, unknown } = notice {
                if repeated { again } else { unknown }.push(call_id.clone());
                return;
            }
        }
    }

    /// Returns content as the window of a cell takes it.
    pub(crate) fn fit(&self, content: Content) -> Content {
        window::fit(content, self.limits.output_bytes)
    }

    /// Adds to what a cell has used.
    pub(crate) fn charge(&self, cell_id: &CellId, cpu: Duration, tool_calls: u64) {
        if let Some(cell) = self.lock().cells.get_mut(cell_id) {
            cell.cpu_time += cpu;
            cell.tool_calls += tool_calls;
        }
    }

    /// Returns what a cell has used: CPU time, and calls of tools.
    pub(crate) fn used(&self, cell_id: &CellId) -> (Duration, u64) {
        self.lock().cells.get(cell_id).map(|cell| (cell.cpu_time, cell.tool_calls)).unwrap_or_default()
    }

    /// Says what a cell has used, whatever was counted here.
    pub(crate) fn has_used(&self, cell_id: &CellId, cpu_time: Duration, tool_calls: u64) {
        if let Some(cell) = self.lock().cells.get_mut(cell_id) {
            (cell.cpu_time, cell.tool_calls) = (cpu_time, tool_calls);
        }
    }

    /// Returns how many cells it knows.
    #[cfg(test)]
    pub(crate) fn cells(&self) -> usize {
        self.lock().cells.len()
    }

    /// Says that no further event will come, once the last cell is gone.
    pub(crate) fn close(&self) {
        let waited_for: Vec<_> = {
            let mut state = self.lock();
            state.closed = true;
            // Of cells that have left without an end, there is nothing more to wait for here.
            state
                .cells
                .values()
                .filter(|cell| !cell.is_ended())
                .map(|cell| Arc::clone(&cell.changed))
                .collect()
        };
        tell(&waited_for);
        self.appended.notify_waiters();
    }

    /// Returns what wakes an observer of a cell, and where a reader without a cursor begins.
    pub(crate) fn observer(&self, cell_id: &CellId) -> Result<(Arc<Notify>, Seq), Missing> {
        let state = self.fresh();
        let cell = state.cell(cell_id)?;
        Ok((Arc::clone(&cell.changed), cell.read_up_to))
    }

    /// Returns the last entry of a cell.
    pub(crate) fn last_of(&self, cell_id: &CellId) -> Result<Seq, Missing> {
        self.lock().cell(cell_id).map(|cell| cell.last)
    }

    /// Returns the first `yield_control()` of a cell after an entry.
    pub(crate) fn yield_after(&self, cell_id: &CellId, after: Seq) -> Option<Seq> {
        let state = self.lock();
        state.cell(cell_id).ok()?.yields.iter().copied().find(|seq| *seq > after)
    }

    /// Tells whether a wait is over, for cells with the cursor of each.
    pub(crate) fn is_over(&self, cells: &[(CellId, Seq)], until: WaitUntil) -> Result<bool, Missing> {
        let state = self.lock();
        let mut all_ended = true;
        let mut any = false;
        for (cell_id, after) in cells {
            let cell = state.cell(cell_id)?;
            all_ended &= cell.is_ended();
            any |= match until {
                WaitUntil::AnyOutput => cell.is_ended() || cell.last_output > *after,
                WaitUntil::AnyEnded => cell.is_ended(),
                _ => false,
            } || cell.last_yield > *after;
        }
        Ok(all_ended || any || state.closed)
    }

    /// Tells whether a cell has ended, or has left without an end.
    pub(crate) fn is_gone(&self, cell_id: &CellId) -> Result<bool, Missing> {
        let state = self.lock();
        state.cell(cell_id).map(|cell| cell.is_ended() || state.closed)
    }

    /// Returns the number of the last event.
    pub(crate) fn last(&self) -> Seq {
        self.lock().last
    }

    /// Makes a cell's response, of what there is up to an event.
    pub(crate) fn respond(
        &self,
        cell_id: &CellId,
        reader: Reader,
        max_tokens: usize,
        upto: Seq,
    ) -> Result<CellResponse, Missing> {
        let mut state = self.lock();
        let Some(cell) = state.cells.get_mut(cell_id) else { return Err(state.missing(cell_id)) };
        let (read_before, was_read) = (cell.read_up_to, cell.was_read());
        let response = cell.respond(cell_id, reader, max_tokens, Instant::now(), upto);
        self.write_down_reader(cell_id, cell, read_before, was_read);
        Ok(response)
    }

    /// Moves the session's reader past what a look gave it.
    pub(crate) fn note_read(&self, read: &Read) {
        let mut state = self.lock();
        let Some(cell) = state.cells.get_mut(&read.cell_id) else { return };
        let (read_before, was_read) = (cell.read_up_to, cell.was_read());
        cell.note_read(read);
        self.write_down_reader(&read.cell_id, cell, read_before, was_read);
    }

    /// Forgets a cell that has ended.
    pub(crate) fn forget(&self, cell_id: &CellId) {
        let mut state = self.lock();
        if state.cells.get(cell_id).is_some_and(CellLog::is_ended) {
            state.ended.retain(|(ended, _)| ended != cell_id);
            let forgotten = state.remove(cell_id);
            drop(state);
            tell(forgotten.as_slice());
        }
    }

    fn write_down_reader(&self, cell_id: &CellId, cell: &CellLog, read_before: Seq, was_read: bool) {
        let has_moved = cell.read_up_to > read_before || cell.was_read() != was_read;
        if let (Some(journal), Some(number), true) = (self.journal.get(), CellNumber::of(cell_id), has_moved)
        {
            journal.append(Record::ReaderMoved { cell: number.0, cursor: cell.read_up_to.0 });
        }
    }

    /// Locks the log without the outcomes that have become too old.
    pub(super) fn fresh(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let forgotten = state.forget_old(&self.limits, Instant::now());
        if forgotten.is_empty() {
            return state;
        }
        drop(state);
        tell(&forgotten);
        self.lock()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append_to(
        &self,
        mut guard: MutexGuard<'_, State>,
        cell_id: &CellId,
        kind: EventKind,
        record: impl FnOnce(&EventKind) -> Record,
        then: impl FnOnce(&mut CellLog),
    ) {
        let state = &mut *guard;
        let Some(cell) = state.cells.get_mut(cell_id) else { return };
        let seq = state.last.next();
        state.last = seq;
        cell.last = seq;
        let kind = match kind {
            EventKind::Output { content } => {
                let content = window::fit(content, self.limits.output_bytes);
                cell.last_output = seq;
                cell.output.push(OutputItem { seq, content: content.clone() });
                EventKind::Output { content }
            }
            EventKind::ControlYielded => {
                cell.note_yield(seq);
                EventKind::ControlYielded
            }
            other => other,
        };
        if let Some(journal) = self.journal.get() {
            journal.append(record(&kind));
        }
        then(cell);
        let changed = Arc::clone(&cell.changed);
        state.keep(Event::new(seq, cell_id.clone(), kind), self.limits.kept_events);
        drop(guard);
        changed.notify_waiters();
        self.appended.notify_waiters();
    }
}

impl State {
    pub(super) fn insert(&mut self, cell_id: CellId, cell: CellLog) {
        if let Some(keyed) = &cell.keyed {
            self.keys.insert(keyed.key.clone(), cell_id.clone());
        }
        self.cells.insert(cell_id, cell);
    }

    fn cell(&self, cell_id: &CellId) -> Result<&CellLog, Missing> {
        self.cells.get(cell_id).ok_or_else(|| self.missing(cell_id))
    }

    fn missing(&self, cell_id: &CellId) -> Missing {
        let cell_id = cell_id.clone();
        match CellNumber::of(&cell_id) {
            Some(number) if number <= self.newest_cell => Missing::NoLonger(OutcomeExpired { cell_id }),
            _ => Missing::Never(UnknownCell { cell_id }),
        }
    }

    pub(super) fn keep(&mut self, event: Event, kept_events: usize) {
        self.recent_bytes += event_bytes(&event);
        self.recent.push_back(event);
        while self.recent.len() > kept_events
            || (self.recent_bytes > KEPT_EVENT_BYTES && self.recent.len() > 1)
        {
            let Some(dropped) = self.recent.pop_front() else { break };
            self.recent_bytes -= event_bytes(&dropped);
        }
    }

    /// Forgets outcomes that are too old or too many. Returns what tells those who wait for these cells among others.
    #[must_use]
    fn forget_old(&mut self, limits: &Limits, now: Instant) -> Vec<Arc<Notify>> {
        let mut forgotten = Vec::new();
        while let Some((_, ended_at)) = self.ended.front() {
            if self.ended.len() <= limits.kept_outcomes && now - *ended_at < limits.outcome_age {
                break;
            }
            let Some((cell_id, _)) = self.ended.pop_front() else { break };
            forgotten.extend(self.remove(&cell_id));
        }
        forgotten
    }

    /// Removes a cell. Returns what tells those who wait for it.
    #[must_use]
    fn remove(&mut self, cell_id: &CellId) -> Option<Arc<Notify>> {
        let cell = self.cells.remove(cell_id)?;
        // It may be another's by now.
        if let Some(keyed) = &cell.keyed
            && self.keys.get(&keyed.key) == Some(cell_id)
        {
            self.keys.remove(&keyed.key);
        }
        Some(cell.changed)
    }
}

fn end_event(outcome: &Outcome) -> EventKind {
    match outcome {
        Outcome::Completed { error, .. } => EventKind::CellCompleted { error: error.clone() },
        Outcome::Terminated { reason, .. } => EventKind::CellTerminated { reason: reason.clone() },
    }
}

fn tell(forgotten: &[Arc<Notify>]) {
    forgotten.iter().for_each(|changed| changed.notify_waiters());
}

fn event_bytes(event: &Event) -> usize {
    let content = match &event.kind {
        EventKind::Output { content } => content.size_bytes(),
        EventKind::Notified { text } => text.len(),
        EventKind::CellCompleted { error: Some(error) } => error.message.len() + error.stack.len(),
        _ => 0,
    };
    content + ITEM_BYTES
}
