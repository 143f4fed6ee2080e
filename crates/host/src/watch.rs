//! Notices a thread of the embedder's that is stuck in a delegate, and sees that another one looks after connections.
//!
//! Of a tokio runtime's threads one waits for I/O. When it is the one that gets stuck, nobody does, until something wakes
//! another thread. So a thread of ours looks, while delegates are being polled, whether one has been for a while, and wakes
//! the runtime. (The in-process provider does the same: `crates/runtime/src/guest/watch.rs`.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::Handle;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(10);
/// It looks so often without having seen anything before it sleeps.
const IDLE_LOOKS: u32 = 100;
/// The runtimes that are remembered; connections are used from one, as a rule.
const RUNTIMES: usize = 8;

static BEGUN: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
static RUNTIMES_KNOWN: Mutex<Vec<Handle>> = Mutex::new(Vec::new());
static WATCHER: OnceLock<Option<Thread>> = OnceLock::new();
/// Whether the watcher sleeps until it is woken.
static ASLEEP: AtomicU64 = AtomicU64::new(0);

/// A poll of code that may block its thread.
pub(crate) struct Polling;

/// Says that such code is polled until the guard is dropped.
pub(crate) fn polling() -> Polling {
    BEGUN.fetch_add(1, Ordering::SeqCst);
    if ASLEEP.swap(0, Ordering::SeqCst) == 1
        && let Some(Some(watcher)) = WATCHER.get()
    {
        watcher.unpark();
    }
    Polling
}

impl Drop for Polling {
    fn drop(&mut self) {
        ENDED.fetch_add(1, Ordering::SeqCst);
    }
}

/// Watches over the current runtime, too.
pub(crate) fn over(handle: Handle) {
    let mut known = RUNTIMES_KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.iter().all(|runtime| runtime.id() != handle.id()) {
        if known.len() == RUNTIMES {
            known.remove(0);
        }
        known.push(handle);
    }
    drop(known);
    WATCHER.get_or_init(|| {
        let watcher = thread::Builder::new().name("carrel-watch".to_owned()).spawn(watch);
        watcher.ok().map(|watcher| watcher.thread().clone())
    });
}

fn watch() {
    let (mut idle, mut ended_before) = (0, 0);
    loop {
        if idle >= IDLE_LOOKS {
            ASLEEP.store(1, Ordering::SeqCst);
            // One that began before it was told is looked at first.
            if BEGUN.load(Ordering::SeqCst) == ENDED.load(Ordering::SeqCst) {
                thread::park();
            }
            idle = 0;
        } else {
            thread::park_timeout(EVERY);
        }
        let ended = ENDED.load(Ordering::SeqCst);
        let is_polling = BEGUN.load(Ordering::SeqCst) > ended;
        if is_polling && ended == ended_before {
            for runtime in &*RUNTIMES_KNOWN.lock().unwrap_or_else(PoisonError::into_inner) {
                runtime.spawn(async {});
            }
        }
        idle = if is_polling || ended != ended_before { 0 } else { idle + 1 };
        ended_before = ended;
    }
}
