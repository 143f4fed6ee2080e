//! How a cell whose session was lost comes back: its VM is given again what it was given, and must do again what it did.
//!
//! Nothing that it did is done a second time. When it has come to the end of what was written down, what was under way
//! is made good: calls, timers, notifications.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CellError, CellErrorKind, ToolCall};
use carrel_engine::{CallHandle, Effect, Event, Snapshot, StoredValues, Vm};
use carrel_journal::fold::Done;
use carrel_journal::{BlobHash, Record};

use super::actor::{Cell, End};
use super::callbacks::Origin;
use super::questions::Question;
use super::trace;
use super::variables::work;
use crate::journal::{CellHistory, Checkpoint, PendingCall, Saved};
use crate::log::SessionLog;
use crate::tools::{Repeat, ToolTable};

/// What is left to be done again.
pub(super) struct Replay {
    /// The VM has begun, or goes on from where it was saved.
    is_begun: bool,
    inputs: VecDeque<Event>,
    /// How many the VM has been given, in all its life.
    given: u64,
    /// What it did before these effects, and how much of that it has done again.
    folded: Done,
    again: Done,
    effects: VecDeque<Record>,
    checkpoints: VecDeque<Checkpoint>,
    calls: BTreeMap<i64, PendingCall>,
    questions: BTreeMap<i64, Question>,
    timers: BTreeMap<i64, i64>,
    undelivered: BTreeMap<u64, String>,
    divergence: Option<String>,
}

impl Replay {
    pub(super) fn new(history: &mut CellHistory) -> Self {
        Self {
            is_begun: history.saved.is_some(),
            given: history.inputs_count - history.inputs.len() as u64,
            inputs: mem::take(&mut history.inputs),
            folded: history.done,
            again: Done::default(),
            effects: mem::take(&mut history.effects),
            checkpoints: mem::take(&mut history.checkpoints),
            calls: mem::take(&mut history.calls),
            questions: mem::take(&mut history.questions),
            timers: mem::take(&mut history.timers),
            undelivered: mem::take(&mut history.undelivered),
            divergence: None,
        }
    }

    /// Tells whether an effect was had before. One that is another than the one that was written down is, too: nothing may
    /// come of it.
    pub(super) fn is_again(&mut self, effect: &Effect, tools: &ToolTable, log: &SessionLog) -> bool {
        if self.divergence.is_some() {
            return true;
        }
        if self.again.count == self.folded.count && self.effects.is_empty() {
            return false;
        }
        let Some(trace) = trace::of_effect(effect, tools, log) else { return false };
        let Some(recorded) = self.effects.front().filter(|_| self.again.count == self.folded.count) else {
            return self.is_again_folded(&trace);
        };
        match trace::is_of(&trace, recorded) {
            None => return false,
            Some(true) => drop(self.effects.pop_front()),
            Some(false) => {
                let (found, expected) = (trace::in_words(&trace), trace::in_words(recorded));
                self.divergence = Some(format!("it did {found}, where its journal has {expected}"));
            }
        }
        true
    }

    /// The same, where only a digest of what was had is left.
    fn is_again_folded(&mut self, trace: &Record) -> bool {
        if matches!(trace, Record::Warned { .. }) && self.again.warned == self.folded.warned {
            return false;
        }
        trace::add(&mut self.again, trace);
        if self.again.count == self.folded.count && self.again.digest != self.folded.digest {
            let (count, last) = (self.folded.count, trace::in_words(trace));
            self.divergence = Some(format!(
                "the {count} things it did, the last of them {last}, are not those of its journal"
            ));
        }
        true
    }

    /// Says in what the replay differs from the journal, if it has come to differ.
    pub(super) fn divergence(&self) -> Option<End> {
        self.divergence.as_deref().map(diverged)
    }

    /// Says the same of a cell that has ended, or waits, and is to do nothing more of what was written down.
    pub(super) fn divergence_at_rest(&self) -> Option<End> {
        self.divergence().or_else(|| {
            let left = match self.folded.count - self.again.count {
                0 => trace::in_words(self.effects.front()?),
                left => format!("{left} more things"),
            };
            Some(diverged(&format!("it did not do what its journal has: {left}")))
        })
    }

    /// Tells whether nothing of what was written down is left, neither to be done nor to be compared.
    fn is_used_up(&self) -> bool {
        self.divergence.is_none()
            && self.inputs.is_empty()
            && self.checkpoints.is_empty()
            && self.effects.is_empty()
            && self.again.count == self.folded.count
    }

    /// Takes note that a timer which was set was cleared, beyond what was written down.
    pub(super) fn clear_timer(&mut self, id: i64) {
        self.timers.remove(&id);
    }

    /// Compares the memory of a VM that has had what it was given with what it was then.
    fn check_memory(&mut self, vm: &Vm) -> Result<(), End> {
        while let Some(checkpoint) = self.checkpoints.front().filter(|it| it.inputs <= self.given) {
            if checkpoint.inputs == self.given
                && vm.memory_hash().is_ok_and(|hash| BlobHash(hash) != checkpoint.memory)
            {
                return Err(diverged(&format!("its memory after {} events is another", self.given)));
            }
            self.checkpoints.pop_front();
        }
        Ok(())
    }

    /// Gives the VM what it was given up to the next checkpoint; false when nothing is left.
    fn give(&mut self, vm: &mut Vm) -> bool {
        let upto = self.checkpoints.front().map_or(u64::MAX, |checkpoint| checkpoint.inputs);
        let mut gave = false;
        while self.given < upto
            && let Some(event) = self.inputs.pop_front()
        {
            vm.deliver(event);
            self.given += 1;
            gave = true;
        }
        gave
    }
}

/// How a cell that is brought back had begun.
pub(super) struct Begun {
    /// The code that ran, where that was not the source.
    pub(super) code: Option<String>,
    pub(super) now_us: i64,
    pub(super) saved: Option<Saved>,
}

impl Cell {
    /// Takes over what is known of the cell; `None` when it had not begun.
    pub(super) fn recall(&mut self, mut history: CellHistory) -> Option<Begun> {
        let now_us = history.begun_us?;
        self.unsaved.saved_before(history.inputs_count - history.inputs.len() as u64);
        self.replay = Some(Replay::new(&mut history));
        // Whatever the clock of this process says, the cell's does not go back.
        self.last_us = history.clock_us;
        self.inputs_count = history.inputs_count;
        self.effects_count = history.effects_count;
        self.notified = history.notified;
        self.callbacks.calls_made = history.calls_made;
        self.writes = history.writes;
        self.warned = history.warnings.len() as u64;
        history.warnings.iter().for_each(|warning| self.warnings.add(warning));
        Some(Begun { code: history.code, now_us, saved: history.saved })
    }

    /// Makes a VM the one that was saved.
    pub(super) async fn take_up(
        &mut self,
        mut vm: Vm,
        saved: Saved,
        stored: Arc<dyn StoredValues>,
    ) -> Result<Vm, End> {
        let lost =
            |why: &dyn std::fmt::Display| diverged(&format!("its snapshot {} is lost: {why}", saved.blob));
        let trust = &self.core.shared.trust;
        trust.check(saved.blob, saved.signature).map_err(|error| lost(&error))?;
        let Some(journal) = self.core.log.journal() else { return Err(lost(&"the session has no journal")) };
        let blob = journal.store.get_blob(saved.blob).await.map_err(|error| lost(&error))?;
        let blob = blob.ok_or_else(|| lost(&"the store does not have it"))?;
        let snapshot = Snapshot::from_bytes(blob.bytes()).map_err(|error| lost(&error))?;
        let bytes = snapshot.memory_bytes();
        let taken = work(&self.core, bytes, move || vm.take_up(&snapshot, stored).map(|()| vm)).await;
        let vm = taken.map_err(|error| lost(&error))?;
        if vm.memory_hash().is_ok_and(|hash| BlobHash(hash) != saved.memory) {
            return Err(diverged("its memory is not what it was when it was saved"));
        }
        Ok(vm)
    }

    /// Goes on with the replay of a VM that waits: gives it the next events, or makes good what was under way and leaves it
    /// to the present. Tells whether it has something to run.
    pub(super) fn replay_on(&mut self, vm: &mut Vm) -> Result<bool, End> {
        let Some(replay) = &mut self.replay else { return Ok(false) };
        if !mem::replace(&mut replay.is_begun, true) {
            return Ok(true);
        }
        replay.check_memory(vm)?;
        if replay.give(vm) {
            return Ok(true);
        }
        if let Some(end) = replay.divergence_at_rest() {
            return Err(end);
        }
        self.come_to_the_present();
        Ok(false)
    }

    /// Ends the replay of a VM in the middle of an event, once it goes beyond what was written down: it may go on for long,
    /// and what it does from here on is the present.
    pub(super) fn end_replay_early(&mut self) {
        if self.replay.as_ref().is_some_and(Replay::is_used_up) {
            self.come_to_the_present();
        }
    }

    /// Takes up what was under way when the session was lost.
    fn come_to_the_present(&mut self) {
        let Some(replay) = self.replay.take() else { return };
        if self.remember() {
            // Its session slept, and what was under way still is.
            return;
        }
        let now_us = self.now_us();
        for (id, due_us) in replay.timers {
            let left = u64::try_from(due_us.saturating_sub(now_us)).unwrap_or(0);
            self.timers.set(id, Duration::from_micros(left));
        }
        for (handle, PendingCall { call_id, tool, input, repeatable, unsent, elsewhere }) in replay.calls {
            let upstream = self.tools.find(&tool).and_then(|tool| tool.origin.clone());
            let call = ToolCall::new(self.core.id.clone(), self.id.clone(), call_id.clone(), tool, input)
                .of(upstream);
            // What it is said to be now was not known when it was made.
            let repeat = if repeatable { self.tools.repeat(&call.tool) } else { Repeat::Never };
            let origin = match (unsent, elsewhere) {
                (true, _) => Origin::Unsent,
                (false, true) => Origin::Elsewhere,
                (false, false) => Origin::Lost,
            };
            self.callbacks.call(&self.core, CallHandle(handle), call_id, Ok(call), repeat, origin);
        }
        for (handle, question) in replay.questions {
            self.questions.ask(CallHandle(handle), question);
        }
        self.redeliver(replay.undelivered);
    }

    /// Takes up, of a cell that has ended in its replay, what is to be delivered before its end.
    pub(super) fn end_replay(&mut self) {
        if let Some(replay) = self.replay.take() {
            self.redeliver(replay.undelivered);
        }
    }

    fn redeliver(&mut self, undelivered: BTreeMap<u64, String>) {
        for (notification, text) in undelivered {
            self.deliver(notification, text);
        }
    }
}

fn diverged(how: &str) -> End {
    End::Failed(CellError::new(
        CellErrorKind::ReplayDivergence,
        "ReplayDivergence",
        format!("after the session was lost, the cell did not do again what it had done: {how}"),
    ))
}
