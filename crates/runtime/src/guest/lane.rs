//! The threads that CPU-bound VMs share in turns, a slice each.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use carrel_engine::{Progress, Turn, Vm};
use tokio::sync::oneshot;

use super::Ticker;
use super::turns::{Party, Turns};

/// A VM that has run, with what came of it.
pub(crate) struct Ran {
    pub(crate) vm: Vm,
    /// The turn; of several in the lane, the last with the CPU time of all.
    pub(crate) turn: Turn,
}

impl Ran {
    /// Runs a VM for one slice on the calling thread.
    pub(crate) fn slice(mut vm: Vm, ticker: &Ticker) -> Self {
        let running = ticker.running();
        let turn = vm.run();
        drop(running);
        Self { vm, turn }
    }
}

/// A VM that runs in the lane.
pub(crate) struct Away {
    returned: oneshot::Receiver<Ran>,
    meter: Arc<Meter>,
}

impl Away {
    /// Waits for the VM; `None` when the lane has ended. Cancel safe.
    pub(crate) async fn returned(&mut self) -> Option<Ran> {
        (&mut self.returned).await.ok()
    }

    /// Returns the CPU time that the VM has used since it left, for when it is not waited for.
    pub(crate) fn cpu_so_far(&self) -> Duration {
        self.meter.read()
    }
}

/// CPU time in nanoseconds, added up by whoever runs the VM.
#[derive(Default)]
struct Meter(AtomicU64);

impl Meter {
    /// Adds a slice and returns the sum.
    fn add(&self, slice: Duration) -> Duration {
        self.0.fetch_add(u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.read()
    }

    fn read(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// The threads and their queue. The queue holds at most one entry a living VM, and the engine's pool bounds those.
pub(crate) struct Lane {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    /// Where VMs run at once, on the thread that sends them here.
    inline: Option<Arc<Ticker>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    turns: Turns<Job>,
    ended: bool,
}

struct Job {
    vm: Vm,
    meter: Arc<Meter>,
    /// The CPU time that the VM had used since it last waited, when it came.
    used_before: Duration,
    reply: oneshot::Sender<Ran>,
}

impl Lane {
    pub(crate) fn start(threads: NonZeroUsize, ticker: &Arc<Ticker>) -> std::io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let threads = (0..threads.get())
            .map(|n| {
                let (queue, ticker) = (Arc::clone(&queue), Arc::clone(ticker));
                thread::Builder::new().name(format!("carrel-guest-{n}")).spawn(move || queue.work(&ticker))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self { queue, threads, inline: None })
    }

    /// Makes one without threads, which runs what is sent to it before it returns: for simulations, in which nothing may
    /// depend on which thread is faster.
    pub(crate) fn inline(ticker: &Arc<Ticker>) -> Self {
        Self { queue: Arc::default(), threads: Vec::new(), inline: Some(Arc::clone(ticker)) }
    }

    /// Tells whether it has no threads.
    pub(crate) fn is_inline(&self) -> bool {
        self.inline.is_some()
    }

    /// Runs a VM of a session in turns with others until it emits an effect, waits or ends. It has used `used` since it
    /// last waited. When nobody waits for it any more, the VM is dropped at its next turn.
    pub(crate) fn run(&self, party: Party, vm: Vm, used: Duration) -> Away {
        let (reply, returned) = oneshot::channel();
        let meter = Arc::<Meter>::default();
        self.queue.push(party, Job { vm, meter: Arc::clone(&meter), used_before: used, reply });
        if let Some(ticker) = &self.inline {
            self.queue.work_off(ticker);
        }
        Away { returned, meter }
    }
}

impl Queue {
    fn push(&self, party: Party, job: Job) {
        self.put(party, job);
        self.changed.notify_one();
    }

    /// The same for whoever takes the next one itself: no thread is woken.
    fn put(&self, party: Party, job: Job) {
        let used = job.used_before + job.meter.read();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).turns.push(party, used, job);
    }

    /// Waits for a job; `None` when the lane has ended.
    fn next(&self) -> Option<(Party, Job)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.ended {
                return None;
            }
            if let Some(next) = state.turns.pop() {
                return Some(next);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, ticker: &Ticker) {
        while let Some((party, job)) = self.next() {
            self.run(party, job, ticker);
        }
    }

    /// Runs what there is.
    fn work_off(&self, ticker: &Ticker) {
        loop {
            let next = self.state.lock().unwrap_or_else(PoisonError::into_inner).turns.pop();
            let Some((party, job)) = next else { return };
            self.run(party, job, ticker);
        }
    }

    fn run(&self, party: Party, job: Job, ticker: &Ticker) {
        let Job { vm, meter, used_before, reply } = job;
        if reply.is_closed() {
            return;
        }
        let Ran { vm, mut turn } = Ran::slice(vm, ticker);
        turn.cpu_time = meter.add(turn.cpu_time);
        let goes_on = matches!(turn.progress, Progress::Preempted | Progress::Ready);
        if goes_on && turn.effects.is_empty() {
            self.put(party, Job { vm, meter, used_before, reply });
        } else {
            // Refused when the cell was ended meanwhile: the VM is dropped here.
            drop(reply.send(Ran { vm, turn }));
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended = true;
        let abandoned = std::mem::take(&mut state.turns);
        drop(state);
        drop(abandoned);
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
