//! Runs a recorded cell again, in the order of its records, and compares.
//!
//! The VM is given what it was given, when the record says so, and run only as far as the next thing that it is to do. So
//! a step is one record, and between two steps the cell stands where it stood.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use carrel_contract::Seq;
use carrel_contract::error::EngineFailure;
use carrel_engine::{Effect, Ending, Progress, Snapshot, Start, StoredValues, Vm, VmLimits};
use carrel_journal::{BlobHash, Record};

use super::recording::{Inner, Line};
use super::step::{Against, State, Step, What};
use super::telling::{self, Teller};
use crate::cell::trace;
use crate::guest::{Party, Ran};
use crate::journal;
use crate::log::Outcome;

/// How much longer a cell may compute than it was allowed: another machine may be slower.
const CPU_TIMES: u32 = 2;

/// A recorded cell that runs again. Nothing that it does is done: no tool is called, nobody is notified, nothing is stored.
///
/// [`step`](Self::step) goes on by one thing that happens; when it returns `None`, [`verdict`](Self::verdict) says how the
/// replay came out. The VM computes on the provider's threads, within the limits of its session.
pub struct Replay {
    recording: Arc<Inner>,
    edited: bool,
    party: Party,
    /// `None` only while it runs, and when it is lost.
    vm: Option<Vm>,
    place: Place,
    /// What it did and nobody has looked at yet.
    effects: VecDeque<Effect>,
    /// The next record.
    next: usize,
    /// How many events the VM was given.
    given: u64,
    clock_us: i64,
    told: Teller,
    ready: VecDeque<Step>,
    state: State,
    differences: u64,
    verdict: Option<Verdict>,
    /// Its VM, when it has ended: what it leaves to the next cell of a notebook.
    left: Option<Vm>,
}

/// Where the VM stands.
enum Place {
    Runs,
    Waits,
    Ended(Ending),
}

/// How a replay came out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The cell came to the end that was recorded: by itself, or ended from outside there.
    Ended {
        /// How much of what it did was not recorded, or the other way round. Always 0 but of an edited cell.
        differences: u64,
    },
    /// The recording ends before the cell does: it runs, or was lost.
    Open {
        /// As in `Ended`.
        differences: u64,
    },
    /// The cell did something else than was recorded, and there is no answer to that.
    Diverged(Box<Divergence>),
}

/// Where and how a replay differs from what was recorded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Divergence {
    /// The last event that both had.
    pub after: Seq,
    /// The number of the event that was expected, where it is one.
    pub seq: Option<Seq>,
    /// What was recorded; `None` when it is the memory that differs.
    pub recorded: Option<What>,
    /// What the cell did instead; `None` when it did nothing, but waits.
    pub did: Option<What>,
}

impl Replay {
    pub(super) fn begin(recording: Arc<Inner>, code: String, edited: bool) -> Result<Self, EngineFailure> {
        let Inner { shared, limits, .. } = &*recording;
        let failed = |error: &dyn fmt::Display| EngineFailure { detail: error.to_string() };
        let limits = VmLimits {
            memory_bytes: limits.memory_bytes,
            cpu_time: limits.cpu_time.saturating_mul(CPU_TIMES),
        };
        let mut vm = shared.engine.vacant(limits).map_err(|error| failed(&error))?;
        if let Some(variables) = &recording.variables {
            vm.remember(variables).map_err(|error| failed(&error))?;
        }
        let start = Start {
            source: code,
            tools: Arc::clone(&recording.tools.guest),
            stored: Arc::clone(&recording.stored) as Arc<dyn StoredValues>,
            quota: recording.quota,
            seed: recording.seed,
            now_us: recording.begun_us,
            time_zone: recording.time_zone.clone(),
            dialect: recording.dialect,
            persistent: recording.persistent,
        };
        vm.begin(start).map_err(|error| failed(&error))?;
        let party = Party(shared.parties.fetch_add(1, Ordering::Relaxed));
        Ok(Self {
            clock_us: recording.begun_us,
            told: Teller::new(Arc::clone(&recording)),
            recording,
            edited,
            party,
            vm: Some(vm),
            place: Place::Runs,
            effects: VecDeque::new(),
            next: 0,
            given: 0,
            ready: VecDeque::new(),
            state: State::default(),
            differences: 0,
            verdict: None,
            left: None,
        })
    }

    /// Goes on to the next thing that happens; `None` when nothing is left.
    ///
    /// Not cancel safe: a future that is dropped takes the VM with it, and the replay ends there.
    pub async fn step(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                self.state.take(&step);
                return Some(step);
            }
            if self.verdict.is_some() {
                return None;
            }
            self.advance().await;
        }
    }

    /// Goes on to the end of the recording. Returns what the cell left to the next one, when it did again what it had done.
    pub(super) async fn variables(mut self) -> Option<Snapshot> {
        while self.step().await.is_some() {}
        let left = self.left.filter(|_| matches!(self.verdict, Some(Verdict::Ended { .. })))?;
        left.snapshot().ok()
    }

    /// Returns where the cell stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns how the replay came out, when it has come to its end.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref().filter(|_| self.ready.is_empty())
    }

    /// Deals with the next record.
    async fn advance(&mut self) {
        let recording = Arc::clone(&self.recording);
        let Some(line) = recording.lines.get(self.next) else { return self.go_beyond().await };
        match &line.record {
            Record::CellBegun { .. } => {
                self.next += 1;
                self.push(line.seq, What::Began, Against::Same);
            }
            Record::Answered { .. } | Record::TimerFired { .. } => self.give(line).await,
            Record::SnapshotTaken { memory, inputs, image, .. }
            | Record::Checkpoint { memory, inputs, image, .. } => {
                self.next += 1;
                self.check_memory(*memory, *inputs, *image).await;
            }
            Record::CellEnded { outcome, .. } => match journal::outcome_back(outcome.clone()) {
                Ok(outcome) => self.end(line.seq, outcome).await,
                Err(_) => self.finish(Verdict::Ended { differences: self.differences }),
            },
            record if is_loose(record) || is_spine(record) => self.compare(line).await,
            // What others did meanwhile.
            _ => self.next += 1,
        }
    }

    /// Gives the VM what it was given.
    async fn give(&mut self, line: &Line) {
        if self.edited {
            // What it does before, and did not, is told before.
            self.run().await;
            while self.effects.front().is_some_and(|effect| is_loose_effect(effect) && !self.is_due(effect)) {
                self.did_new();
            }
        }
        let Some(event) = line.event.clone() else {
            self.next += 1;
            return;
        };
        let Some(what) = self.told.given(&line.record) else {
            self.next += 1;
            return;
        };
        if let (Place::Ended(ending), true) = (&self.place, self.edited) {
            let did = Some(self.told.end(ending));
            return self.diverge(line.seq, Some(what), did);
        }
        // To one that has ended, too: it was given while the cell computed its end, as an interval's turn that comes due then.
        self.next += 1;
        self.given += 1;
        self.clock_us = self.clock_us.max(line.record.at_us().unwrap_or(self.clock_us));
        if let (Some(vm), Place::Runs | Place::Waits) = (&mut self.vm, &self.place) {
            vm.deliver(event);
            self.place = Place::Runs;
        }
        self.push(line.seq, what, Against::Same);
    }

    /// Compares what the VM does next with a record of what it did.
    async fn compare(&mut self, line: &Line) {
        self.run().await;
        let expects_loose = is_loose(&line.record);
        let Some(effect) = self.effects.front() else {
            if self.edited && expects_loose {
                return self.missed(line);
            }
            let did = self.how_it_ended();
            return self.diverge(line.seq, telling::done(&line.record), did);
        };
        let same = trace::is_same(effect, &line.record, &self.recording.tools, &self.recording.log);
        match same {
            Some(true) => {
                let effect = self.effects.pop_front();
                self.next += 1;
                if let Some(what) = effect.and_then(|effect| self.told.effect(effect, Some(&line.record))) {
                    self.push(line.seq, what, Against::Same);
                }
            }
            None if !self.edited => {
                // One of those that are not written down.
                if let Some(what) = self.did() {
                    self.push(None, what, Against::Same);
                }
            }
            _ if !self.edited => {
                let did = self.did();
                self.diverge(line.seq, telling::done(&line.record), did);
            }
            _ if expects_loose && (!is_loose_effect(effect) || self.is_due(effect)) => self.missed(line),
            _ if is_loose_effect(effect) => self.did_new(),
            _ => {
                let did = self.did();
                self.diverge(line.seq, telling::done(&line.record), did);
            }
        }
    }

    /// Brings the cell to the end that it came to.
    async fn end(&mut self, seq: Option<Seq>, outcome: Outcome) {
        match outcome {
            Outcome::Terminated { reason, .. } => {
                self.push(seq, What::Terminated { reason }, Against::Same);
                self.finish(Verdict::Ended { differences: self.differences });
            }
            Outcome::Completed { result, error, .. } => {
                self.run().await;
                let recorded = What::Ended { result, error };
                if let Some(effect) = self.effects.front() {
                    let is_unwritten = matches!(effect, Effect::Warn { .. } | Effect::Block { .. });
                    if self.edited && is_loose_effect(effect) {
                        return self.did_new();
                    }
                    let did = self.did();
                    if is_unwritten {
                        return did.into_iter().for_each(|what| self.push(None, what, Against::Same));
                    }
                    return self.diverge(seq, Some(recorded), did);
                }
                let did = self.how_it_ended();
                match did {
                    Some(did) if is_same_end(&did, &recorded) => self.push(seq, did, Against::Same),
                    Some(did) if self.edited => {
                        self.differences += 1;
                        self.push(None, did, Against::New);
                    }
                    did => return self.diverge(seq, Some(recorded), did),
                }
                self.finish(Verdict::Ended { differences: self.differences });
            }
        }
    }

    /// Runs on where the recording ends, as far as that goes without an answer.
    async fn go_beyond(&mut self) {
        self.run().await;
        let did = match self.effects.pop_front() {
            Some(effect) => self.told.effect(effect, None),
            None => {
                if let Place::Ended(ending) = &self.place {
                    let did = Some(self.told.end(ending));
                    did.into_iter().for_each(|what| self.push(None, what, Against::Beyond));
                }
                return self.finish(Verdict::Open { differences: self.differences });
            }
        };
        did.into_iter().for_each(|what| self.push(None, what, Against::Beyond));
    }

    /// Compares the memory of the VM with what it was when it had been given so much.
    async fn check_memory(&mut self, memory: BlobHash, inputs: u64, image: BlobHash) {
        let is_known = self.recording.shared.trust.is_image(image);
        if self.edited || !is_known || inputs != self.given {
            return;
        }
        self.run().await;
        if let (true, Some(vm)) = (self.effects.is_empty(), &self.vm)
            && vm.memory_hash().is_ok_and(|hash| BlobHash(hash) != memory)
        {
            self.diverge(None, None, None);
        }
    }

    /// Runs the VM until there is something that it did, or it waits, or has ended.
    async fn run(&mut self) {
        while self.effects.is_empty() && matches!(self.place, Place::Runs) {
            let Some(vm) = self.vm.take() else {
                self.place = Place::Ended(Ending::Stopped);
                return;
            };
            let mut away = self.recording.shared.lane.run(self.party, vm, Duration::ZERO);
            let Some(Ran { vm, turn }) = away.returned().await else { continue };
            self.vm = Some(vm);
            self.effects.extend(turn.effects);
            self.place = match turn.progress {
                Progress::Preempted | Progress::Ready => Place::Runs,
                Progress::Idle => Place::Waits,
                Progress::Ended(ending) => Place::Ended(ending),
            };
        }
    }

    /// Tells whether an effect is recorded before the next that needs an answer.
    fn is_due(&self, effect: &Effect) -> bool {
        let Inner { lines, tools, log, .. } = &*self.recording;
        let due = lines.iter().skip(self.next).map(|line| &line.record);
        due.take_while(|record| !is_spine(record) && !matches!(record, Record::CellEnded { .. }))
            .any(|record| is_loose(record) && trace::is_same(effect, record, tools, log) == Some(true))
    }

    /// Takes what it did next.
    fn did(&mut self) -> Option<What> {
        self.effects.pop_front().and_then(|effect| self.told.effect(effect, None))
    }

    fn how_it_ended(&self) -> Option<What> {
        match &self.place {
            Place::Ended(ending) => Some(self.told.end(ending)),
            _ => None,
        }
    }

    /// Says that something was recorded and did not happen.
    fn missed(&mut self, line: &Line) {
        self.next += 1;
        self.differences += 1;
        if let Some(what) = telling::done(&line.record) {
            self.push(line.seq, what, Against::Missing);
        }
    }

    /// Says that something happened that was not recorded.
    fn did_new(&mut self) {
        if let Some(what) = self.did() {
            self.differences += 1;
            self.push(None, what, Against::New);
        }
    }

    fn diverge(&mut self, seq: Option<Seq>, recorded: Option<What>, did: Option<What>) {
        let after = self.ready.iter().rev().find_map(|step| step.seq).unwrap_or(self.state.seq);
        self.finish(Verdict::Diverged(Box::new(Divergence { after, seq, recorded, did })));
    }

    fn finish(&mut self, verdict: Verdict) {
        self.left = self.vm.take().filter(|vm| self.recording.persistent && vm.is_whole());
        self.verdict = Some(verdict);
    }

    fn push(&mut self, seq: Option<Seq>, what: What, against: Against) {
        self.ready.push_back(Step { seq, now_us: self.clock_us, what, against });
    }
}

/// Tells whether a record is of what a cell does without waiting for an answer to it.
fn is_loose(record: &Record) -> bool {
    matches!(
        record,
        Record::Output { .. }
            | Record::Notified { .. }
            | Record::Stored { .. }
            | Record::ControlYielded { .. }
            | Record::Warned { .. }
    )
}

/// Tells whether a record is of what answers come to.
fn is_spine(record: &Record) -> bool {
    matches!(
        record,
        Record::ToolCalled { .. }
            | Record::Asked { .. }
            | Record::TimerSet { .. }
            | Record::TimerCleared { .. }
    )
}

fn is_loose_effect(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::CallTool { .. }
            | Effect::SearchTools { .. }
            | Effect::DescribeTools { .. }
            | Effect::SetTimer { .. }
            | Effect::ClearTimer { .. }
    )
}

/// Compares two ends. What was found out about an error beside the engine, or cut off it, is no difference.
fn is_same_end(did: &What, recorded: &What) -> bool {
    match (did, recorded) {
        (What::Ended { result: ours, error: None }, What::Ended { result, error: None }) => ours == result,
        (What::Ended { error: Some(ours), .. }, What::Ended { error: Some(error), .. }) => {
            ours.kind == error.kind && ours.name == error.name
        }
        _ => false,
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("cell_id", &self.recording.cell_id)
            .field("edited", &self.edited)
            .field("record", &self.next)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}
