//! What a journal says a session was.
//!
//! Records are read in their order into the log, the stored values, and for each cell that runs: what its VM was given,
//! what it did, and what of that is still open. A cell that has ended leaves what it leaves in a session that was never
//! lost: its outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{
    CellErrorKind, CellId, EarlierCell, EventKind, IdempotencyKey, JsonText, Notice, SessionSpec, ToolCallId,
    ToolName, ToolProgress,
};
use carrel_engine::{CallHandle, Event};
use carrel_journal::fold::Done;
use carrel_journal::record::Usage;
use carrel_journal::{BlobHash, Record, Signature};
use tokio::time::Instant;

use super::trust::Trust;
use super::words::{self, Nonsense};
use crate::cell::{Question, translate};
use crate::earlier::Earlier;
use crate::log::Keyed;
use crate::number::CellNumber;
use crate::shared::Past;
use crate::stored::Committed;
use crate::tools::ToolTable;

/// A session, as its journal has it.
pub(crate) struct History {
    pub(crate) spec: SessionSpec,
    pub(crate) past: Past,
    /// Those that have not ended.
    pub(crate) running: BTreeMap<CellNumber, CellHistory>,
    /// What the last cell of a persistent session left.
    pub(crate) variables: Option<Left>,
    /// The names of these, as far as they are known.
    pub(crate) names: BTreeSet<String>,
    /// The latest time it knows of.
    pub(crate) now_us: i64,
    pub(super) trust: Trust,
    pub(super) clock: Clock,
}

/// A cell that runs, as its journal has it.
pub(crate) struct CellHistory {
    pub(crate) source: String,
    /// What the engine got instead of the source.
    pub(crate) code: Option<String>,
    pub(crate) seed: u64,
    pub(crate) tools: Arc<ToolTable>,
    /// What was committed when it was admitted; in a persistent session, when it began.
    pub(crate) stored: Arc<Committed>,
    pub(crate) begun_us: Option<i64>,
    /// The latest time its VM was told.
    pub(crate) clock_us: i64,
    /// Its VM, as it was saved last.
    pub(crate) saved: Option<Saved>,
    /// What its VM was given since.
    pub(crate) inputs: VecDeque<Event>,
    /// What it did since, up to what is written down singly.
    pub(crate) done: Done,
    /// What it did since then, as it was written down.
    pub(crate) effects: VecDeque<Record>,
    /// What its memory was on the way.
    pub(crate) checkpoints: VecDeque<Checkpoint>,
    /// What it has been given and has done in all.
    pub(crate) inputs_count: u64,
    pub(crate) effects_count: u64,
    /// What is open.
    pub(crate) calls: BTreeMap<i64, PendingCall>,
    /// Questions about the tools that were not answered.
    pub(crate) questions: BTreeMap<i64, Question>,
    pub(crate) timers: BTreeMap<i64, i64>,
    pub(crate) undelivered: BTreeMap<u64, String>,
    pub(crate) writes: HashMap<String, String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) calls_made: u64,
    pub(crate) notified: u64,
    /// The variables that it leaves when it ends, and the names it declared.
    pub(crate) left: Option<(Left, Vec<String>)>,
}

/// A VM that was saved.
#[derive(Clone, Copy)]
pub(crate) struct Saved {
    pub(crate) blob: BlobHash,
    pub(crate) memory: BlobHash,
    pub(crate) image: BlobHash,
    pub(crate) signature: Option<Signature>,
}

/// Variables that a cell left.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    pub(crate) blob: BlobHash,
    pub(crate) signature: Option<Signature>,
}

/// So many names of variables are kept, to be told should the variables be lost, and so many bytes of them: a record is
/// to hold them.
const NAMES: usize = 10_000;
const NAMES_BYTES: usize = 64 * 1024;

/// Adds names to those that are kept, as far as there is room.
pub(crate) fn keep_names(kept: &mut BTreeSet<String>, names: impl IntoIterator<Item = String>) {
    let mut bytes: usize = kept.iter().map(String::len).sum();
    for name in names {
        if kept.len() < NAMES && bytes + name.len() <= NAMES_BYTES && !kept.contains(&name) {
            bytes += name.len();
            kept.insert(name);
        }
    }
}

/// What the memory of a VM was after so many events.
#[derive(Clone, Copy)]
pub(crate) struct Checkpoint {
    pub(crate) inputs: u64,
    pub(crate) memory: BlobHash,
    pub(crate) image: BlobHash,
}

/// A call that was under way when the session was lost.
#[derive(Clone, Debug)]
pub(crate) struct PendingCall {
    pub(crate) call_id: ToolCallId,
    pub(crate) tool: ToolName,
    pub(crate) input: Option<JsonText>,
    pub(crate) repeatable: bool,
    /// A person was to allow it, and nothing of it has left.
    pub(crate) unsent: bool,
    /// It is of the session which this one was forked off.
    pub(crate) elsewhere: bool,
}

/// The time of day, and tokio's of the same moment.
pub(crate) struct Clock {
    now_us: i64,
    now: Instant,
}

impl Clock {
    /// Sets it by the time of day.
    pub(crate) fn at(now_us: i64) -> Self {
        Self { now_us, now: Instant::now() }
    }

    /// Returns tokio's time of a moment of the past; now, where that does not go back so far.
    pub(crate) fn instant(&self, us: i64) -> Instant {
        let ago = u64::try_from(self.now_us.saturating_sub(us)).unwrap_or(0);
        self.now.checked_sub(Duration::from_micros(ago)).unwrap_or(self.now)
    }

    /// Returns the time of day of a moment of tokio's time.
    pub(crate) fn us(&self, at: Instant) -> i64 {
        let us = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.now_us
            .saturating_sub(us(self.now.saturating_duration_since(at)))
            .saturating_add(us(at.saturating_duration_since(self.now)))
    }
}

impl History {
    /// Begins with the first record of a journal.
    pub(crate) fn new(first: Record, trust: Trust, now_us: i64) -> Result<Self, Nonsense> {
        let Record::SessionCreated { spec, created_at_us } = first else {
            return Err(Nonsense("the journal does not begin with the session's making".to_owned()));
        };
        let mut spec: SessionSpec = words::json_of(spec)?;
        let tools = ToolTable::new(mem::take(&mut spec.tools), spec.dialect)?;
        Ok(Self {
            past: Past::none(&spec.limits, tools),
            running: BTreeMap::new(),
            variables: None,
            names: BTreeSet::new(),
            now_us: created_at_us,
            trust,
            clock: Clock::at(now_us),
            spec,
        })
    }

    /// Reads the next record.
    pub(crate) fn read(&mut self, record: Record) -> Result<(), Nonsense> {
        match record {
            Record::SessionCreated { .. } => {
                return Err(Nonsense("the session is made a second time".to_owned()));
            }
            Record::Adopted { at_us, .. } => self.at(at_us),
            Record::Forked { at_us, .. } => self.forked(at_us),
            // It says what is known here already.
            Record::Folded { .. } => {}
            Record::ToolsSet { tools } => {
                self.past.tools = Arc::new(ToolTable::new(words::json_of(tools)?, self.spec.dialect)?);
            }
            Record::CellAdmitted { cell, source, seed, at_us, key } => {
                let key = key.as_deref().map(IdempotencyKey::new).transpose()?;
                self.admitted(cell, words::text(source)?, seed, at_us, key)?;
            }
            Record::CellEnded { cell, outcome, refused, usage, ended_at_us } => {
                self.at(ended_at_us);
                let outcome = words::outcome_back(outcome)?;
                self.ended(cell, outcome, &refused, usage, ended_at_us)?;
            }
            Record::VariablesLeft { cell, blob, signature, names } => {
                let (left, names) = (Left { blob, signature }, names.unwrap_or_default());
                match self.running.get_mut(&CellNumber(cell)) {
                    // One whose end was lost goes on, and leaves them anew.
                    Some(cell) => cell.left = Some((left, names)),
                    None => self.left(left, names),
                }
            }
            Record::VariablesLost { names, why } => {
                self.variables = None;
                self.names.clear();
                self.past.earlier = Earlier::default();
                self.past.log.say_next(Notice::VariablesLost { names, why });
            }
            Record::ReaderMoved { cell, cursor } => {
                // A cell that the log has forgotten has no reader either.
                if let Ok(cell_id) = CellNumber(cell).id() {
                    self.past.log.read_up_to(&cell_id, carrel_contract::Seq(cursor));
                }
            }
            Record::ToolProgressed { cell, call_id, percent, message } => {
                let progress = ToolProgress { percent, message };
                self.event(cell, EventKind::ToolProgressed { call_id: words::call_id(&call_id)?, progress })?;
            }
            Record::PersonAwaited { cell, call_id, question, decides } => {
                self.decided(cell, &call_id, decides == Some(true));
                self.event(cell, EventKind::PersonAwaited { call_id: words::call_id(&call_id)?, question })?;
            }
            Record::PersonAnswered { cell, call_id, leaves } => {
                if leaves != Some(false) {
                    self.decided(cell, &call_id, false);
                }
                self.event(cell, EventKind::PersonAnswered { call_id: words::call_id(&call_id)? })?;
            }
            of_cell => self.read_of_cell(of_cell)?,
        }
        Ok(())
    }

    /// Goes on as a session of its own: with other seeds, and with calls under way that the origin makes.
    fn forked(&mut self, at_us: i64) {
        self.at(at_us);
        self.spec.seed =
            self.spec.seed.map(|seed| seed ^ at_us.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for call in self.running.values_mut().flat_map(|cell| cell.calls.values_mut()) {
            call.elsewhere = true;
        }
    }

    /// Tells whether a cell that runs has nothing to go on from but a snapshot that this build cannot use.
    pub(super) fn lacks_beginnings(&self) -> bool {
        let saved = || self.running.values().filter_map(|cell| cell.saved);
        !self.trust.is_none() && saved().any(|it| !self.trust.admits(it.image, it.blob, it.signature))
    }

    /// Tells whether a cell has begun, whether it runs or has ended.
    pub(crate) fn has_begun(&self, cell: CellNumber) -> bool {
        match self.running.get(&cell) {
            Some(cell) => cell.begun_us.is_some(),
            None => cell <= self.past.newest,
        }
    }

    fn read_of_cell(&mut self, record: Record) -> Result<(), Nonsense> {
        let committed = self.past.stored.committed();
        match &record {
            Record::CellBegun { cell, code, now_us } => {
                self.at(*now_us);
                let is_persistent = self.spec.mode == carrel_contract::SessionMode::Persistent;
                let history = self.cell(*cell)?;
                history.code = code.clone().map(words::text).transpose()?;
                history.begun_us = Some(*now_us);
                history.clock_us = history.clock_us.max(*now_us);
                if is_persistent {
                    history.stored = committed;
                }
            }
            Record::ToolCalled { cell, call, call_id, tool, input, repeatable } => {
                let call_id = words::call_id(call_id)?;
                let tool = ToolName::new(tool)?;
                let kind = EventKind::ToolCalled { call_id: call_id.clone(), tool: tool.clone() };
                let input = input.clone().map(words::json).transpose()?;
                let pending = PendingCall {
                    call_id,
                    tool,
                    input,
                    repeatable: *repeatable,
                    unsent: false,
                    elsewhere: false,
                };
                let history = self.cell(*cell)?;
                history.calls.insert(*call, pending);
                history.calls_made += 1;
                self.event(*cell, kind)?;
                self.effect(*cell, record)?;
            }
            Record::Answered { cell, call, answer, now_us } => {
                self.at(*now_us);
                let result = words::answer_back(answer.clone())?;
                let error = result.as_ref().err().map(|error| error.code);
                let history = self.cell(*cell)?;
                // A question about the tools is no call and has no id.
                let call_id = history.calls.remove(call).map(|pending| pending.call_id);
                let answer = translate::answered(CallHandle(*call), call_id.as_ref(), result, *now_us);
                history.input(answer, *now_us);
                history.questions.remove(call);
                if let Some(call_id) = call_id {
                    self.event(*cell, EventKind::ToolAnswered { call_id, error })?;
                }
            }
            Record::Asked { cell, call, question } => {
                self.cell(*cell)?.questions.insert(*call, words::json_of(question.clone())?);
                self.effect(*cell, record)?;
            }
            Record::TimerSet { cell, timer, due_us } => {
                self.cell(*cell)?.timers.insert(*timer, *due_us);
                self.effect(*cell, record)?;
            }
            Record::TimerCleared { cell, timer } => {
                self.cell(*cell)?.timers.remove(timer);
                self.effect(*cell, record)?;
            }
            Record::TimerFired { cell, timer, now_us } => {
                self.at(*now_us);
                let history = self.cell(*cell)?;
                history.timers.remove(timer);
                history.input(Event::TimerFired { id: *timer, now_us: *now_us }, *now_us);
            }
            Record::Output { cell, content } => {
                self.event(*cell, EventKind::Output { content: words::content_back(content.clone())? })?;
                self.effect(*cell, record)?;
            }
            Record::Notified { cell, notification, text } => {
                let text = words::text(text.clone())?;
                let history = self.cell(*cell)?;
                history.undelivered.insert(*notification, text.clone());
                history.notified = *notification;
                self.event(*cell, EventKind::Notified { text })?;
                self.effect(*cell, record)?;
            }
            Record::NotifyDelivered { cell, notification } => {
                self.cell(*cell)?.undelivered.remove(notification);
            }
            Record::ControlYielded { cell } => {
                self.event(*cell, EventKind::ControlYielded)?;
                self.effect(*cell, record)?;
            }
            Record::Warned { cell, text } => {
                let text = words::text(text.clone())?;
                self.cell(*cell)?.warnings.push(text);
                self.effect(*cell, record)?;
            }
            Record::Stored { cell, key, value } => {
                let value = words::text(value.clone())?;
                self.cell(*cell)?.writes.insert(key.clone(), value);
                self.effect(*cell, record)?;
            }
            Record::Unstored { cell, keys } => {
                let keys: Vec<String> = words::json_of(keys.clone())?;
                let writes = &mut self.cell(*cell)?.writes;
                keys.iter().for_each(|key| drop(writes.remove(key)));
            }
            // From another build's, or one that is not signed here, nothing goes on: the cell is replayed from its beginning.
            Record::SnapshotTaken { cell, blob, memory, inputs, effects, image, signature }
                if self.trust.admits(*image, *blob, *signature) =>
            {
                let saved = Saved { blob: *blob, memory: *memory, image: *image, signature: *signature };
                self.cell(*cell)?.saved_at(saved, *inputs, *effects);
            }
            Record::Checkpoint { cell, memory, inputs, image } if self.trust.is_image(*image) => {
                self.cell(*cell)?.checkpoints.push_back(Checkpoint {
                    inputs: *inputs,
                    memory: *memory,
                    image: *image,
                });
            }
            Record::SnapshotTaken { .. } | Record::Checkpoint { .. } => {}
            other => {
                return Err(Nonsense(
                    format!("a record has no place: {other:?}").chars().take(300).collect(),
                ));
            }
        }
        Ok(())
    }

    fn admitted(
        &mut self,
        cell: u64,
        source: String,
        seed: u64,
        at_us: i64,
        key: Option<IdempotencyKey>,
    ) -> Result<(), Nonsense> {
        self.at(at_us);
        let number = CellNumber(cell);
        if number <= self.past.newest {
            return Err(Nonsense(format!("{} is admitted a second time", number.id()?)));
        }
        self.past.newest = number;
        let keyed = key.map(|key| Keyed::new(key, &source));
        self.past.log.admit_at(&number.id()?, number, keyed, self.clock.instant(at_us));
        let history = CellHistory {
            source,
            code: None,
            seed,
            tools: Arc::clone(&self.past.tools),
            stored: self.past.stored.committed(),
            begun_us: None,
            clock_us: at_us,
            saved: None,
            inputs: VecDeque::new(),
            done: Done::default(),
            effects: VecDeque::new(),
            checkpoints: VecDeque::new(),
            inputs_count: 0,
            effects_count: 0,
            calls: BTreeMap::new(),
            questions: BTreeMap::new(),
            timers: BTreeMap::new(),
            undelivered: BTreeMap::new(),
            writes: HashMap::new(),
            warnings: Vec::new(),
            calls_made: 0,
            notified: 0,
            left: None,
        };
        self.running.insert(number, history);
        Ok(())
    }

    fn ended(
        &mut self,
        cell: u64,
        outcome: crate::log::Outcome,
        refused: &[String],
        usage: Usage,
        ended_at_us: i64,
    ) -> Result<(), Nonsense> {
        let number = CellNumber(cell);
        let Some(mut history) = self.running.remove(&number) else { return Err(unknown(cell)) };
        let has_left = history.left.is_some();
        if let Some((left, names)) = history.left.take() {
            self.left(left, names);
        }
        if matches!(outcome, crate::log::Outcome::Completed { .. }) {
            history.writes.retain(|key, _| !refused.contains(key));
            self.past.stored.commit(history.writes);
        }
        if let crate::log::Outcome::Completed { error, .. } = &outcome
            && self.spec.check
            && has_left
            && error.as_ref().is_none_or(|error| error.kind != CellErrorKind::Syntax)
        {
            self.past.earlier.push(EarlierCell::new(history.source.as_str().into(), error.is_none()));
        }
        self.past.log.end_at(&number.id()?, outcome, usage, self.clock.instant(ended_at_us));
        Ok(())
    }

    fn left(&mut self, left: Left, names: Vec<String>) {
        self.variables = Some(left);
        keep_names(&mut self.names, names);
    }

    /// Notes whether a call waits for a person to allow it.
    fn decided(&mut self, cell: u64, call_id: &str, unsent: bool) {
        let calls = self.running.get_mut(&CellNumber(cell)).map(|cell| cell.calls.values_mut());
        if let Some(call) = calls.into_iter().flatten().find(|call| call.call_id.as_str() == call_id) {
            call.unsent = unsent;
        }
    }

    fn cell(&mut self, cell: u64) -> Result<&mut CellHistory, Nonsense> {
        self.running.get_mut(&CellNumber(cell)).ok_or_else(|| unknown(cell))
    }

    fn effect(&mut self, cell: u64, record: Record) -> Result<(), Nonsense> {
        let history = self.cell(cell)?;
        history.effects.push_back(record);
        history.effects_count += 1;
        Ok(())
    }

    fn event(&mut self, cell: u64, kind: EventKind) -> Result<(), Nonsense> {
        let cell_id: CellId = CellNumber(cell).id()?;
        self.past.log.append(&cell_id, kind, |_| unreachable!("a history has no journal of its own"));
        Ok(())
    }

    fn at(&mut self, us: i64) {
        self.now_us = self.now_us.max(us);
    }
}

impl CellHistory {
    fn input(&mut self, event: Event, now_us: i64) {
        self.clock_us = self.clock_us.max(now_us);
        self.inputs.push_back(event);
        self.inputs_count += 1;
    }

    /// Forgets what the saved VM has behind it.
    fn saved_at(&mut self, saved: Saved, inputs: u64, effects: u64) {
        let drop_front = |kept: usize, count: u64, at: u64| {
            kept - usize::try_from(count.saturating_sub(at)).unwrap_or(kept).min(kept)
        };
        let gone = drop_front(self.inputs.len(), self.inputs_count, inputs);
        self.inputs.drain(..gone);
        // A VM that is saved waits, so nothing came of it between its saving and the record of that.
        let gone = drop_front(self.effects.len(), self.effects_count, effects);
        self.effects.drain(..gone);
        self.done = Done::default();
        self.checkpoints.clear();
        self.saved = Some(saved);
    }
}

fn unknown(cell: u64) -> Nonsense {
    Nonsense(format!("cell {cell} does not run where a record says what it did"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_as_far_as_a_record_holds_them() {
        let mut kept = BTreeSet::new();
        let long = |letter: &str| letter.repeat(40_000);
        keep_names(&mut kept, [long("a"), long("b"), "short".to_owned()]);
        keep_names(&mut kept, [long("a"), long("c"), "other".to_owned()]);
        assert_eq!(kept, [long("a"), "short".to_owned(), "other".to_owned()].into());
        keep_names(&mut kept, (0..20_000).map(|number| number.to_string()));
        assert!(kept.len() <= NAMES);
        assert!(kept.iter().map(String::len).sum::<usize>() <= NAMES_BYTES);
    }
}
