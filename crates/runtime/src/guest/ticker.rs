//! Moves the engine's epoch once a millisecond while any VM runs, and sleeps when none does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use carrel_engine::Engine;
use tokio::runtime::Handle;

use super::credit::Credit;
use super::watch::{Polling, Watch};

const TICK: Duration = Duration::from_millis(1);
/// Ticks without a running VM after which the thread sleeps: waking it costs more than a few idle ticks.
const IDLE_TICKS: u32 = 50;
/// Ticks from one look after threads that are stuck to the next.
const WATCH_TICKS: u32 = 10;

/// The thread and what it shares with those who run VMs.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    ended: AtomicBool,
    credit: Credit,
    watch: Watch,
}

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = thread::Builder::new().name("carrel-ticker".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run(&engine)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Makes one without a thread, whose slices never end: for simulations.
    pub(crate) fn still() -> Self {
        Self { shared: Arc::default(), thread: None }
    }

    /// Says that a VM runs until the guard is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        self.wake();
        Running(&self.shared)
    }

    /// Says that futures of delegates' will be polled in a runtime.
    pub(crate) fn remember(&self, runtime: Handle) {
        self.shared.watch.remember(runtime);
    }

    /// Says that a future of a delegate's is polled until the guard is dropped.
    pub(crate) fn polling(&self) -> Polling<'_> {
        let polling = self.shared.watch.polling();
        self.wake();
        polling
    }

    /// Tells whether a new cell may begin on the thread that it is on.
    pub(crate) fn may_run_here(&self) -> bool {
        self.shared.credit.is_left()
    }

    /// Says that a VM has used up its slice on a thread of the embedder's.
    pub(crate) fn used_up_here(&self, cpu: Duration) {
        self.shared.credit.spend(i64::try_from(cpu.as_nanos()).unwrap_or(i64::MAX));
    }

    fn wake(&self) {
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.unpark();
        }
    }

    fn unpark(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.unpark();
        if let Some(thread) = self.thread.take() {
            // The thread has nothing that can panic, and there is nobody to tell.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, engine: &Engine) {
        let (mut idle, mut ticks, mut polls_ended) = (0, 0, 0);
        while !self.ended.load(Ordering::SeqCst) {
            idle = if self.is_idle() { idle + 1 } else { 0 };
            if idle < IDLE_TICKS {
                thread::park_timeout(TICK);
                engine.tick();
                self.credit.regain();
                ticks += 1;
                if ticks == WATCH_TICKS {
                    ticks = 0;
                    self.watch.look(&mut polls_ended);
                }
                continue;
            }
            self.asleep.store(true, Ordering::SeqCst);
            // Whoever began to run before it could see `asleep` is seen here instead.
            if self.is_idle() && !self.ended.load(Ordering::SeqCst) {
                thread::park();
            }
            self.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }

    fn is_idle(&self) -> bool {
        self.running.load(Ordering::SeqCst) == 0 && !self.watch.is_polling()
    }
}

/// One running VM.
pub(crate) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
