//! Notices a thread of the embedder's that is stuck in a delegate, and sees that another one looks after the timers.
//!
//! Of a tokio runtime's threads one waits for timers and I/O. When it is the one that gets stuck, nobody does, until
//! something wakes another thread: a cell whose only other event is a timer would wait for as long as the delegate
//! blocks. So whoever ticks looks, now and then, whether a poll goes on and none has ended, and wakes the runtime.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::tasks;

/// The runtimes that are remembered; a provider is used from one, as a rule.
const RUNTIMES: usize = 8;

/// The polls of delegates' futures, of all sessions of a provider.
#[derive(Debug, Default)]
pub(super) struct Watch {
    begun: AtomicU64,
    ended: AtomicU64,
    runtimes: Mutex<Vec<Runtime>>,
}

#[derive(Debug)]
struct Runtime {
    handle: Handle,
    /// The task that last woke it, until it has run.
    woken_by: Option<AbortHandle>,
}

impl Watch {
    /// Remembers a runtime that futures are polled in.
    pub(super) fn remember(&self, handle: Handle) {
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        if runtimes.iter().all(|known| known.handle.id() != handle.id()) {
            if runtimes.len() == RUNTIMES {
                runtimes.remove(0);
            }
            runtimes.push(Runtime { handle, woken_by: None });
        }
    }

    /// Says that a future is polled until the guard is dropped.
    pub(super) fn polling(&self) -> Polling<'_> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Polling(self)
    }

    /// Tells whether a future is being polled.
    pub(super) fn is_polling(&self) -> bool {
        // In this order: a poll that ends in between is counted as not begun, not as still going on.
        let ended = self.ended.load(Ordering::SeqCst);
        self.begun.load(Ordering::SeqCst) > ended
    }

    /// Wakes the runtimes when a poll goes on and none has ended since the last look, which `ended` is kept from.
    pub(super) fn look(&self, ended: &mut u64) {
        let is_polling = self.is_polling();
        let before = std::mem::replace(ended, self.ended.load(Ordering::SeqCst));
        if !is_polling || before != *ended {
            return;
        }
        for runtime in &mut *self.runtimes.lock().unwrap_or_else(PoisonError::into_inner) {
            if runtime.woken_by.as_ref().is_none_or(AbortHandle::is_finished) {
                runtime.woken_by = Some(tasks::wake(&runtime.handle));
            }
        }
    }
}

/// One poll.
pub(crate) struct Polling<'a>(&'a Watch);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}
