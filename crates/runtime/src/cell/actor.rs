//! The loop of one cell: wait for an event, hand it to the VM, perform what comes out.
//!
//! The actor is the cell's one writer to the log, so the order of its entries is the order of what happened, and
//! whether a cell completed or was terminated is decided here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrel_contract::{CellError, CellId, TerminationReason};
use carrel_engine::{Effect, Ending, Event, Progress, Snapshot, Vm};
use carrel_journal::BlobHash;

use super::callbacks::{Callbacks, Done};
use super::gathering::Gathering;
use super::opening::Opening;
use super::parked::{Beside, Parked};
use super::questions::Questions;
use super::replay::Replay;
use super::saving::Unsaved;
use super::timers::Timers;
use super::warnings::Warnings;
use super::written::Written;
use crate::control::CellControl;
use crate::guest::{Away, Ran};
use crate::notebook::Turn;
use crate::number::CellNumber;
use crate::seat::rest::Busy;
use crate::shared::Core;
use crate::telemetry::CellTelemetry;
use crate::tools::ToolTable;

/// The CPU time after which a VM with events still to come leaves this thread to others; and that of an event after
/// which the next one is expected to take as long.
const SLICE: Duration = Duration::from_millis(1);

/// A cell that runs. Dropping it, which only a panic or the end of the runtime does, cancels its callbacks.
pub(crate) struct Cell {
    pub(super) core: Arc<Core>,
    pub(super) id: CellId,
    pub(super) tools: Arc<ToolTable>,
    pub(super) number: CellNumber,
    pub(super) control: Arc<CellControl>,
    /// That it has something to do; while it has not, its session may go to sleep.
    pub(super) busy: Option<Busy>,
    pub(super) callbacks: Callbacks,
    pub(super) questions: Questions,
    /// The time that their answers took.
    pub(super) answering: Duration,
    pub(super) writes: HashMap<String, String>,
    pub(super) warnings: Warnings,
    /// What its author wrote, until it has come to run.
    pub(super) written: Option<Written>,
    /// Its source, when later cells are to be checked against what it declares.
    pub(super) declares: Option<Arc<str>>,
    pub(crate) telemetry: CellTelemetry,
    /// In a persistent session: its turn; its VM after its end; and the variables it leaves, when that came by itself.
    pub(super) turn: Option<Turn>,
    pub(super) left: Option<Vm>,
    pub(super) variables: Option<Snapshot>,
    /// Where these are kept, and the names it declares.
    pub(super) variables_kept: Option<BlobHash>,
    pub(super) names: Vec<String>,
    pub(super) timers: Timers,
    /// What it is to do again, after its session was lost.
    pub(super) replay: Option<Replay>,
    /// What is to be known again after that, when its session only slept.
    pub(super) beside: Option<Beside>,
    /// What was written down of it: what its VM was given, what that did, its notifications, its unhandled rejections.
    pub(super) inputs_count: u64,
    pub(super) effects_count: u64,
    pub(super) notified: u64,
    pub(super) warned: u64,
    /// What has to be computed again when the session is lost now.
    pub(super) unsaved: Unsaved,
    /// What of it is to be written.
    pub(super) gathering: Gathering,
    /// The latest time that it was told.
    pub(super) last_us: i64,
    /// The CPU time since the VM last waited.
    used: Duration,
    /// The same, of the time before that.
    used_last: Duration,
}

/// How the guest came to its end.
pub(super) enum End {
    Natural(Ending),
    /// It could not begin.
    Failed(CellError),
    Terminated(TerminationReason),
    /// It has not: its session leaves this process, and its journal goes on with it.
    Suspended,
    /// The same, while its session sleeps.
    Parked,
}

/// Where the VM is.
pub(super) enum Place {
    /// Here, and waits for an event.
    Idle(Vm),
    /// Here, in the middle of an event, until its callbacks hold less.
    Held(Vm),
    /// In the lane of CPU-bound VMs.
    Away(Away),
}

impl Cell {
    pub(crate) fn new(
        core: Arc<Core>,
        tools: Arc<ToolTable>,
        id: CellId,
        number: CellNumber,
        control: Arc<CellControl>,
        parked: Option<Box<Parked>>,
    ) -> Self {
        let busy = Some(Busy::new(&core));
        let (callbacks, timers, telemetry, beside) = match parked {
            Some(parked) => parked.taken_over(),
            None => (Callbacks::default(), Timers::default(), core.telemetry.cell(&core.id, &id), None),
        };
        Self {
            busy,
            beside,
            core,
            tools,
            id,
            number,
            control,
            callbacks,
            questions: Questions::default(),
            answering: Duration::ZERO,
            writes: HashMap::new(),
            warnings: Warnings::default(),
            written: None,
            declares: None,
            telemetry,
            turn: None,
            left: None,
            variables: None,
            variables_kept: None,
            names: Vec::new(),
            timers,
            replay: None,
            inputs_count: 0,
            effects_count: 0,
            notified: 0,
            warned: 0,
            unsaved: Unsaved::default(),
            gathering: Gathering::default(),
            last_us: i64::MIN,
            used: Duration::ZERO,
            used_last: Duration::ZERO,
        }
    }

    /// Runs the guest to its end.
    pub(super) async fn drive(&mut self, opening: Opening) -> End {
        let vm = match self.open(opening).await {
            Ok(vm) => vm,
            Err(end) => return end,
        };
        let mut waiting = Waiting::default();
        let begun = if self.replay.is_some() {
            Ok(Place::Idle(vm))
        } else if self.core.shared.ticker.may_run_here() {
            self.run_here(vm)
        } else {
            Ok(self.send_away(vm, &mut waiting))
        };
        let mut place = match begun {
            Ok(place) => place,
            Err(end) => return end,
        };
        loop {
            tokio::task::consume_budget().await;
            if let Place::Idle(vm) = place {
                place = match self.rest(vm, &mut waiting).await {
                    Ok(place) => place,
                    Err(end) => return end,
                };
            }
            self.gathering.flush(&self.core);
            if waiting.bytes > self.core.limits.memory_bytes {
                // More than the guest could take in, should it ever come to it.
                return End::Natural(Ending::OutOfMemory(None));
            }
            if self.may_rest(&place) {
                self.busy = None;
            }
            // One that is held for its callbacks goes on with the next that is done.
            let is_behind = matches!(place, Place::Held(_)) && !self.holds_too_much();
            let core = Arc::clone(&self.core);
            let event = tokio::select! {
                biased;
                reason = self.control.requested() => {
                    if let Place::Away(vm) = &place {
                        let cpu_time = vm.cpu_so_far();
                        self.charge(&[], cpu_time);
                    }
                    return match self.asked(reason) {
                        End::Parked => self.park(place).await,
                        end => end,
                    };
                }
                ran = away(&mut place) => {
                    // A VM that does not come back is lost with the lane, and that with the provider.
                    let Some(ran) = ran else { return End::Terminated(TerminationReason::Shutdown) };
                    place = match self.settle(ran, &mut waiting) {
                        Ok(place) => place,
                        Err(end) => return end,
                    };
                    continue;
                }
                done = self.callbacks.next(), if self.replay.is_none() => {
                    if !self.stirs() {
                        self.callbacks.put_back(done);
                        return self.park(place).await;
                    }
                    match done {
                        Done::Answered(answer) => Some(self.answered(answer)),
                        Done::Delivered(delivered) => {
                            self.notified(delivered);
                            None
                        }
                    }
                }
                () = core.caught_up(), if is_behind => None,
                () = self.timers.until_due(), if self.replay.is_none() => {
                    if !self.stirs() {
                        return self.park(place).await;
                    }
                    self.timers.take().map(|timer| self.fired(timer))
                }
                () = self.gathering.over() => None,
                () = std::future::ready(()), if self.replay.is_none() && !self.questions.is_empty() => {
                    // Others first: it may be the next of many.
                    tokio::task::yield_now().await;
                    match self.answer_question() {
                        Ok(event) => event,
                        Err(end) => return end,
                    }
                }
            };
            place = match place {
                Place::Away(vm) => {
                    waiting.extend(event);
                    Place::Away(vm)
                }
                Place::Held(vm) => {
                    waiting.extend(event);
                    if self.is_overloaded() { Place::Held(vm) } else { self.send_away(vm, &mut waiting) }
                }
                Place::Idle(mut vm) => {
                    let Some(event) = event else {
                        place = Place::Idle(vm);
                        continue;
                    };
                    vm.deliver(event);
                    if self.used_last >= SLICE {
                        self.send_away(vm, &mut waiting)
                    } else {
                        match self.run_here(vm) {
                            Ok(place) => place,
                            Err(end) => return end,
                        }
                    }
                }
            };
        }
    }

    /// What becomes of the cell when somebody asks for its end, or for its leave.
    pub(super) fn asked(&self, reason: TerminationReason) -> End {
        if self.control.is_parked() {
            End::Parked
        } else if self.control.is_suspended() {
            End::Suspended
        } else {
            End::Terminated(reason)
        }
    }

    /// Tells whether there is nothing to do before something comes from outside.
    fn may_rest(&self, place: &Place) -> bool {
        self.core.log.journal().is_some()
            && matches!(place, Place::Idle(_))
            && self.replay.is_none()
            && self.questions.is_empty()
            && self.callbacks.undelivered == 0
            // What has come already is not put off again and again by going to sleep.
            && !self.callbacks.has_done()
            && !self.timers.is_due()
    }

    /// Has something to do; not when its session is going to sleep, to which it leaves that.
    pub(super) fn stirs(&mut self) -> bool {
        if self.busy.is_none() {
            self.busy = Busy::stir(&self.core);
        }
        self.busy.is_some()
    }

    /// Looks after a VM that waits: goes on with its replay, saves it when that is worth it.
    async fn rest(&mut self, mut vm: Vm, waiting: &mut Waiting) -> Result<Place, End> {
        if self.replay.is_some() && self.replay_on(&mut vm)? {
            return Ok(self.send_away(vm, waiting));
        }
        if self.replay.is_none() && self.core.log.journal().is_some() {
            vm = self.save(vm).await;
        }
        Ok(Place::Idle(vm))
    }

    /// Runs the VM on this thread, for one slice; most turns need less.
    fn run_here(&mut self, vm: Vm) -> Result<Place, End> {
        let ran = Ran::slice(vm, &self.core.shared.ticker);
        if ran.turn.progress == Progress::Preempted {
            self.core.shared.ticker.used_up_here(ran.turn.cpu_time);
        }
        self.settle(ran, &mut Waiting::default())
    }

    /// Performs the effects of a turn and puts the VM where it belongs now.
    fn settle(&mut self, mut ran: Ran, waiting: &mut Waiting) -> Result<Place, End> {
        let mut here = Duration::ZERO;
        loop {
            let Ran { mut vm, turn: carrel_engine::Turn { effects, progress, cpu_time } } = ran;
            self.charge(&effects, cpu_time);
            self.used += cpu_time;
            for effect in effects {
                self.perform(effect);
            }
            if let Some(end) = self.replay.as_ref().and_then(Replay::divergence) {
                return Err(end);
            }
            if matches!(progress, Progress::Preempted | Progress::Ready) {
                self.end_replay_early();
            }
            match progress {
                Progress::Ended(Ending::Stopped) => return Err(self.asked(self.control.reason())),
                Progress::Ended(Ending::CpuTimeExhausted) => {
                    let limit = self.core.limits.cpu_time;
                    return Err(End::Terminated(TerminationReason::CpuTime { limit }));
                }
                Progress::Ended(ending) => {
                    if let Some(end) = self.replay.as_ref().and_then(Replay::divergence_at_rest) {
                        return Err(end);
                    }
                    self.end_replay();
                    self.left = vm.is_whole().then_some(vm);
                    return Err(End::Natural(ending));
                }
                Progress::Idle if waiting.events.is_empty() => {
                    // A program that waits has begun.
                    self.written = None;
                    self.used_last = std::mem::take(&mut self.used);
                    return Ok(Place::Idle(vm));
                }
                _ if self.is_overloaded() => return Ok(Place::Held(vm)),
                Progress::Idle | Progress::Ready if here < SLICE => {
                    waiting.deliver(&mut vm);
                    ran = Ran::slice(vm, &self.core.shared.ticker);
                    here += ran.turn.cpu_time;
                }
                _ => return Ok(self.send_away(vm, waiting)),
            }
        }
    }

    fn send_away(&self, mut vm: Vm, waiting: &mut Waiting) -> Place {
        waiting.deliver(&mut vm);
        Place::Away(self.core.shared.lane.run(self.core.party, vm, self.used))
    }

    /// Tells whether the callbacks under way hold as much as the cell itself may. A cell that goes on calling waits
    /// until they hold less.
    ///
    /// One that does more than can be written down as fast waits, too.
    fn is_overloaded(&self) -> bool {
        self.holds_too_much() || self.core.log.journal().is_some_and(|journal| journal.is_behind())
    }

    fn holds_too_much(&self) -> bool {
        // One that is replayed calls nothing, and hears of nothing that is under way: waiting for that would never end.
        self.replay.is_none()
            && self.callbacks.held_bytes + self.questions.held_bytes > self.core.limits.memory_bytes
    }

    /// Returns the time, which for one cell never goes backwards.
    pub(super) fn now_us(&mut self) -> i64 {
        self.last_us = self.last_us.max(self.core.now_us());
        self.last_us
    }

    fn charge(&mut self, effects: &[Effect], cpu: Duration) {
        let calls = effects.iter().filter(|effect| matches!(effect, Effect::CallTool { .. })).count() as u64;
        self.unsaved.cpu_time += cpu;
        self.telemetry.charge(cpu, calls);
        self.core.log.charge(&self.id, cpu, calls);
    }
    /// Answers the question that was asked first. The time it takes is the cell's, and held to the same limit.
    fn answer_question(&mut self) -> Result<Option<Event>, End> {
        let Some((call, question)) = self.questions.next() else { return Ok(None) };
        let began = Instant::now();
        let json = question.answer(&self.tools).into();
        let took = began.elapsed();
        self.charge(&[], took);
        self.answering += took;
        let limit = self.core.limits.cpu_time;
        if self.answering > limit {
            return Err(End::Terminated(TerminationReason::CpuTime { limit }));
        }
        Ok(Some(self.told(call, json)))
    }
}

/// Events that came while the VM could not take them.
#[derive(Default)]
struct Waiting {
    events: Vec<Event>,
    bytes: usize,
}

impl Waiting {
    fn extend(&mut self, event: Option<Event>) {
        if let Some(Event::Answered { json, .. } | Event::Failed { json, .. }) = &event {
            self.bytes += json.len();
        }
        self.events.extend(event);
    }

    fn deliver(&mut self, vm: &mut Vm) {
        self.bytes = 0;
        self.events.drain(..).for_each(|event| vm.deliver(event));
    }
}

/// Waits for a VM that is away; for ever when it is here. `None` when it is lost.
async fn away(place: &mut Place) -> Option<Ran> {
    match place {
        Place::Away(vm) => vm.returned().await,
        Place::Idle(_) | Place::Held(_) => std::future::pending().await,
    }
}
