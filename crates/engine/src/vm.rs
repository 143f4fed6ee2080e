//! One VM: takes events, returns turns.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasmtime::{Global, Memory, Store, Trap, TypedFunc, UpdateDeadline, Val};

use crate::border::{EVENT, Guest, SOURCE, ZONE};
use crate::cpu::Meter;
use crate::event::{
    CallHandle, Dialect, Effect, Ending, Event, NothingStored, Progress, Start, StoredValues, Turn,
};
use crate::snapshot::{self, Snapshot, WASM_PAGE_BYTES};
use crate::{BeginError, Engine, EngineError, ForkError, RestoreError, SnapshotError};

/// The ticks after which a running VM is preempted. The first tick may come at once, so a slice lasts between
/// one and two ticks of the caller's.
const SLICE_TICKS: u64 = 2;

/// What a VM may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmLimits {
    /// Memory in bytes, all of it: from [`MIN_MEMORY_BYTES`](Self::MIN_MEMORY_BYTES) to the engine's
    /// `max_memory_bytes`.
    pub memory_bytes: usize,
    /// CPU time, of all turns together: 30 s. Found out at the end of a turn, so a VM can use a slice more.
    pub cpu_time: Duration,
}

impl VmLimits {
    /// The least memory that makes sense, 2 MiB: the image alone takes 1.4.
    pub const MIN_MEMORY_BYTES: usize = 2 * 1024 * 1024;
}

impl Default for VmLimits {
    fn default() -> Self {
        Self { memory_bytes: 64 * 1024 * 1024, cpu_time: Duration::from_secs(30) }
    }
}

/// One VM. `Send`, owns no thread, never blocks: it runs inside [`run`](Self::run) alone, for about two ticks
/// at most.
///
/// Dropping it ends it wherever it is and gives its memory back.
pub struct Vm {
    engine: Engine,
    stop: Arc<AtomicBool>,
    effects: Arc<Mutex<Vec<Effect>>>,
    /// Events that have not begun. The VM works on one at a time.
    inbox: VecDeque<Inbound>,
    state: State,
    stored: Arc<dyn StoredValues>,
    limits: VmLimits,
    cpu_time: Duration,
    meter: Meter,
}

enum Inbound {
    Start(Start),
    Event(Event),
}

enum State {
    /// Has no cell yet, or is between two.
    Vacant(Box<Instance>),
    /// Waits for an event.
    Idle(Box<Instance>),
    /// Has begun an event and not finished it. The future is the guest on a stack of its own.
    Running(Pin<Box<dyn Future<Output = Finished> + Send>>),
    /// Its cell has ended. Keeps the guest when it can take a further cell.
    Ended(Ending, Option<Box<Instance>>),
}

/// Lengths of the tools' names, of their JSON and of the source; seed; time; whether the VM is persistent; the quota
/// for stored values: one value, all bytes, all keys; what is stored: bytes, keys; the length of the time zone's name.
type StartArgs = (u32, u32, u32, i64, i64, i32, u32, u32, u32, u32, u32, u32, i32);

/// What the guest's function returned, with what it ran in.
type Finished = (Box<Instance>, wasmtime::Result<i32>);

struct Instance {
    store: Store<Guest>,
    memory: Memory,
    /// The guest's pointer into the shadow stack, and where that begins.
    stack: (Global, Val),
    start: TypedFunc<StartArgs, i32>,
    answer: TypedFunc<(i64, i32, u32, i64), i32>,
    timer: TypedFunc<(i64, i64), i32>,
}

impl Vm {
    pub(crate) fn new(engine: &Engine, limits: VmLimits) -> Result<Self, EngineError> {
        let stored: Arc<dyn StoredValues> = Arc::new(NothingStored);
        let stop = Arc::new(AtomicBool::new(false));
        let memory_bytes = limits.memory_bytes.min(engine.options().max_memory_bytes);
        let guest = Guest::new(Arc::clone(&stored), memory_bytes, Arc::clone(&stop));
        let effects = Arc::clone(&guest.effects);
        let instance = Instance::new(engine, guest)?;
        Ok(Self {
            engine: engine.clone(),
            stop,
            effects,
            inbox: VecDeque::new(),
            state: State::Vacant(Box::new(instance)),
            stored,
            limits,
            cpu_time: Duration::ZERO,
            meter: Meter::default(),
        })
    }

    /// Queues the first cell of a VM that was just made.
    pub(crate) fn starting(mut self, start: Start) -> Self {
        self.use_stored(Arc::clone(&start.stored));
        self.inbox.push_back(Inbound::Start(start));
        self
    }

    pub(crate) fn use_stored(&mut self, stored: Arc<dyn StoredValues>) {
        if let State::Vacant(instance) | State::Idle(instance) | State::Ended(_, Some(instance)) =
            &mut self.state
        {
            instance.store.data_mut().stored = Arc::clone(&stored);
        }
        self.stored = stored;
    }

    /// Gives a VM that has had no cell the memory of one between two cells.
    ///
    /// # Errors
    /// When the snapshot is not of such a VM, or of another image, or too large; or this VM has had a cell.
    pub fn remember(&mut self, snapshot: &Snapshot) -> Result<(), RestoreError> {
        if !snapshot.is_vacant() || !self.inbox.is_empty() || !matches!(self.state, State::Vacant(_)) {
            return Err(RestoreError::NotVacant);
        }
        snapshot.check(self.engine.image(), self.limits.memory_bytes)?;
        Ok(self.become_copy(snapshot)?)
    }

    /// Makes a VM that has had no cell go on where a snapshotted one stood in its cell, with the CPU time that one had
    /// used. `stored` must be what that one was started with.
    ///
    /// # Errors
    /// When the snapshot is of a VM between two cells, or of another image, or too large; or this VM has had a cell.
    pub fn take_up(
        &mut self,
        snapshot: &Snapshot,
        stored: Arc<dyn StoredValues>,
    ) -> Result<(), RestoreError> {
        if snapshot.is_vacant() || !self.inbox.is_empty() || !matches!(self.state, State::Vacant(_)) {
            return Err(RestoreError::NotVacant);
        }
        snapshot.check(self.engine.image(), self.limits.memory_bytes)?;
        self.become_copy(snapshot)?;
        self.use_stored(stored);
        Ok(())
    }

    /// Begins a cell in a VM without one: the first, or a further one in a persistent VM. Nothing runs yet. What the
    /// cell before still waited for is forgotten: its calls and its timers are settled by nothing any more, and its
    /// stoppers stop nothing.
    ///
    /// # Errors
    /// When the cell before has not ended, or its end did not leave the VM [whole](Self::is_whole).
    pub fn begin(&mut self, start: Start) -> Result<(), BeginError> {
        if !self.inbox.is_empty() {
            return Err(BeginError::Busy);
        }
        match mem::replace(&mut self.state, State::Ended(Ending::Stopped, None)) {
            State::Vacant(instance) => self.state = State::Vacant(instance),
            State::Ended(_, Some(mut instance)) => {
                self.stop = Arc::new(AtomicBool::new(false));
                instance.store.data_mut().begin(Arc::clone(&self.stop));
                self.state = State::Vacant(instance);
            }
            other => {
                let refused =
                    if matches!(other, State::Ended(..)) { BeginError::Gone } else { BeginError::Busy };
                self.state = other;
                return Err(refused);
            }
        }
        self.cpu_time = Duration::ZERO;
        self.use_stored(Arc::clone(&start.stored));
        self.inbox.push_back(Inbound::Start(start));
        Ok(())
    }

    /// Tells whether the VM can take a further cell, now or when its cell has ended well.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !matches!(self.state, State::Ended(_, None))
    }

    /// Hands the VM an event, which [`run`](Self::run) works on after those before it. Nothing runs yet. An
    /// event for a cell that has ended is dropped.
    pub fn deliver(&mut self, event: Event) {
        let is_for_no_cell = match &self.state {
            State::Ended(..) => true,
            State::Vacant(_) => self.inbox.is_empty(),
            State::Idle(_) | State::Running(_) => false,
        };
        if !is_for_no_cell {
            self.inbox.push_back(Inbound::Event(event));
        }
    }

    /// Works on one event, the one it is in the middle of or the next, until it is done with or the slice is
    /// used up. Without any it only reports.
    pub fn run(&mut self) -> Turn {
        if self.stop.load(Ordering::Relaxed) && !matches!(self.state, State::Ended(..)) {
            // Dropping a guest that was preempted unwinds its stack; it runs no further instruction.
            self.state = State::Ended(Ending::Stopped, None);
        }
        if matches!(self.state, State::Vacant(_) | State::Idle(_))
            && let Some(inbound) = self.inbox.pop_front()
            && let State::Vacant(instance) | State::Idle(instance) =
                mem::replace(&mut self.state, State::Ended(Ending::Stopped, None))
        {
            self.state = State::Running(instance.begin(inbound));
        }
        let cpu_time = self.run_slice();
        let progress = match &self.state {
            State::Vacant(_) | State::Idle(_) if self.inbox.is_empty() => Progress::Idle,
            State::Vacant(_) | State::Idle(_) => Progress::Ready,
            State::Running(_) => Progress::Preempted,
            State::Ended(ending, _) => Progress::Ended(ending.clone()),
        };
        Turn {
            effects: mem::take(&mut *self.effects.lock().unwrap_or_else(PoisonError::into_inner)),
            progress,
            cpu_time,
        }
    }

    /// Lets the guest run, if it has something to run, and returns what that took.
    fn run_slice(&mut self) -> Duration {
        let State::Running(future) = &mut self.state else { return Duration::ZERO };
        let begun = self.meter.begin();
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let taken = self.engine.options().turn_time.unwrap_or_else(|| self.meter.end(&begun));
        self.cpu_time = self.cpu_time.saturating_add(taken);
        if let Poll::Ready((instance, result)) = polled {
            self.state = finished(instance, &result);
        }
        if self.cpu_time >= self.limits.cpu_time && !matches!(self.state, State::Ended(..)) {
            self.state = State::Ended(Ending::CpuTimeExhausted, None);
        }
        taken
    }

    /// Returns the CPU time that the cell has used, also in the VMs whose snapshots this one goes on from.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        self.cpu_time
    }

    /// Returns a handle that stops this VM from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper { engine: self.engine.clone(), stop: Arc::clone(&self.stop) }
    }

    /// Saves the VM: the pages that differ from the image.
    ///
    /// # Errors
    /// When the VM is in the middle of an event, or has ended and is not [whole](Self::is_whole); and, for an engine's first snapshot, when its pool has
    /// no place left.
    pub fn snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let memory = self.memory()?;
        let base = self.engine.base(|| Instance::pristine_memory(&self.engine))?;
        let is_vacant = !matches!(self.state, State::Idle(_));
        Ok(snapshot::take(self.engine.image(), is_vacant, base, memory, self.cpu_time))
    }

    /// Makes a second VM that goes on from here by itself. Costs what a snapshot and a restore do.
    ///
    /// # Errors
    /// When the VM could not be saved, or no other can be made.
    pub fn fork(&self) -> Result<Self, ForkError> {
        Ok(self.engine.restore(&self.snapshot()?, Arc::clone(&self.stored), self.limits)?)
    }

    /// Returns the BLAKE3 hash of the VM's whole memory: two VMs that were given the same events have the same.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn memory_hash(&self) -> Result<[u8; 32], SnapshotError> {
        Ok(blake3::hash(self.memory()?).into())
    }

    /// Returns the size of the VM's memory in bytes: what a snapshot, a fork and a hash have to go through.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn memory_bytes(&self) -> Result<usize, SnapshotError> {
        self.memory().map(<[u8]>::len)
    }

    fn memory(&self) -> Result<&[u8], SnapshotError> {
        match &self.state {
            State::Vacant(instance) | State::Idle(instance) | State::Ended(_, Some(instance))
                if self.inbox.is_empty() =>
            {
                Ok(instance.memory.data(&instance.store))
            }
            State::Ended(_, None) => Err(SnapshotError::NotIdle("at its end")),
            _ => Err(SnapshotError::NotIdle("in the middle of an event")),
        }
    }

    /// Makes a VM that was just made into the snapshotted one.
    pub(crate) fn become_copy(&mut self, snapshot: &Snapshot) -> Result<(), EngineError> {
        self.cpu_time = snapshot.cpu_time();
        if let State::Vacant(mut instance) =
            mem::replace(&mut self.state, State::Ended(Ending::Stopped, None))
        {
            instance.write_memory(snapshot).map_err(EngineError::new("restore the memory of a VM"))?;
            self.state = if snapshot.is_vacant() { State::Vacant(instance) } else { State::Idle(instance) };
        }
        Ok(())
    }
}

/// What is longer than the guest's whole memory cannot arrive there; it fails as an allocation in the guest.
fn clamp(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn finished(mut instance: Box<Instance>, result: &wasmtime::Result<i32>) -> State {
    let guest = instance.store.data_mut();
    let ending = match (result, guest.ending.take()) {
        // `exit()` leaves by a trap of its own; any other ending is reported before the guest returns.
        (_, Some((ending, persistent))) => {
            let is_whole = persistent && (result.is_ok() || instance.recover().is_ok());
            return State::Ended(ending, is_whole.then_some(instance));
        }
        (Ok(_), None) => return State::Idle(instance),
        (Err(_), None) if guest.must_stop() => Ending::Stopped,
        // QuickJS can still stumble over memory that it was refused.
        (Err(_), None) if guest.limiter.refused => Ending::OutOfMemory(None),
        (Err(error), None) => match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Ending::StackExhausted,
            Some(trap) => Ending::Trapped(trap.to_string()),
            None => Ending::Trapped(error.to_string()),
        },
    };
    State::Ended(ending, None)
}

impl Instance {
    fn new(engine: &Engine, guest: Guest) -> Result<Self, EngineError> {
        let failed = || EngineError::new("make a VM");
        let (mut store, instance) = engine.instantiate(guest, |store| {
            store.limiter(|guest| &mut guest.limiter);
            store.set_epoch_deadline(SLICE_TICKS);
            store.epoch_deadline_callback(|store| {
                if store.data().must_stop() {
                    return Err(wasmtime::Error::msg("stopped"));
                }
                Ok(UpdateDeadline::Yield(SLICE_TICKS))
            });
        })?;
        let stack = instance
            .get_global(&mut store, "__stack_pointer")
            .ok_or_else(|| wasmtime::Error::msg("the image has no stack"))
            .map_err(failed())?;
        let stack_start = stack.get(&mut store);
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| wasmtime::Error::msg("the image has no memory"))
            .map_err(failed())?;
        store.data_mut().memory = Some(memory);
        Ok(Self {
            stack: (stack, stack_start),
            memory,
            start: instance.get_typed_func(&mut store, "start").map_err(failed())?,
            answer: instance.get_typed_func(&mut store, "answer").map_err(failed())?,
            timer: instance.get_typed_func(&mut store, "timer").map_err(failed())?,
            store,
        })
    }

    /// Puts the shadow stack back after a trap. All else of the guest's state is in its memory, where the next `start`
    /// clears up.
    fn recover(&mut self) -> wasmtime::Result<()> {
        let (stack, start) = self.stack;
        stack.set(&mut self.store, start)
    }

    /// Begins an event. The future owns the instance, so that a guest in the middle of an event can be kept.
    fn begin(mut self: Box<Self>, inbound: Inbound) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        self.store.set_epoch_deadline(SLICE_TICKS);
        self.store.data_mut().limiter.refused = false;
        match inbound {
            Inbound::Start(start) => {
                let Start { source, tools, stored, quota, seed, now_us, time_zone, dialect, persistent } =
                    start;
                let zone = if time_zone.is_utc() { "" } else { time_zone.as_str() };
                let size = stored.size();
                let args = (
                    clamp(tools.names.len()),
                    clamp(tools.json.len()),
                    clamp(source.len()),
                    seed.cast_signed(),
                    now_us,
                    i32::from(persistent),
                    clamp(quota.value_bytes),
                    clamp(quota.total.bytes),
                    clamp(quota.total.keys),
                    clamp(size.bytes),
                    clamp(size.keys),
                    clamp(zone.len()),
                    i32::from(dialect == Dialect::Codex),
                );
                let parcels = &mut self.store.data_mut().parcels;
                parcels[EVENT] = Some(format!("{}{}", tools.names, tools.json).into());
                parcels[SOURCE] = Some(source.into());
                parcels[ZONE] = Some(zone.into());
                Box::pin(async move {
                    let result = self.start.clone().call_async(&mut self.store, args).await;
                    (self, result)
                })
            }
            Inbound::Event(Event::Answered { call, json, now_us }) => self.answer(call, 1, json, now_us),
            Inbound::Event(Event::Failed { call, json, now_us }) => self.answer(call, 0, json, now_us),
            Inbound::Event(Event::TimerFired { id, now_us }) => Box::pin(async move {
                let result = self.timer.clone().call_async(&mut self.store, (id, now_us)).await;
                (self, result)
            }),
        }
    }

    fn answer(
        mut self: Box<Self>,
        call: CallHandle,
        ok: i32,
        json: Arc<str>,
        now_us: i64,
    ) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        let args = (call.0, ok, clamp(json.len()), now_us);
        self.store.data_mut().parcels[EVENT] = Some(json);
        Box::pin(async move {
            let result = self.answer.clone().call_async(&mut self.store, args).await;
            (self, result)
        })
    }

    /// Makes a VM for the memory that every VM starts from.
    fn pristine_memory(engine: &Engine) -> Result<Vec<u8>, EngineError> {
        let guest = Guest::new(Arc::new(NothingStored), usize::MAX, Arc::default());
        let pristine = Self::new(engine, guest)?;
        Ok(pristine.memory.data(&pristine.store).to_vec())
    }

    fn write_memory(&mut self, snapshot: &Snapshot) -> wasmtime::Result<()> {
        let missing = snapshot.memory_bytes().saturating_sub(self.memory.data_size(&self.store));
        self.memory.grow(&mut self.store, (missing / WASM_PAGE_BYTES) as u64)?;
        snapshot.apply(self.memory.data_mut(&mut self.store));
        Ok(())
    }
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Vacant(_) => "vacant",
            State::Idle(_) => "idle",
            State::Running(_) => "running",
            State::Ended(..) => "ended",
        };
        write!(f, "Vm({state})")
    }
}

/// Stops one VM, from any thread, wherever the guest is. Cheap to clone; may outlive the VM.
#[derive(Clone, Debug)]
pub struct Stopper {
    engine: Engine,
    stop: Arc<AtomicBool>,
}

impl Stopper {
    /// Stops the VM: at its next loop or call when it runs, else at its next turn; one that is just about to run, at the
    /// end of that slice. It ends as [`Ending::Stopped`].
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        for _ in 0..SLICE_TICKS {
            self.engine.tick();
        }
    }
}
