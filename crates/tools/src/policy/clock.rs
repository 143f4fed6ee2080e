//! The time of one call, which stands still while a person is waited for.
//!
//! Whatever makes the call may wait for a person, too: for a server that asks its user something. So the clock listens
//! in on what the call tells of itself, and passes it on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::{CallObserver, CallStatus, PersonAwaited, ToolProgress};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// A clock that begins now.
pub(super) struct Clock {
    outer: CallStatus,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// The time that had passed when it last began to run.
    passed: Duration,
    /// Since when it runs; `None` while it stands still.
    running: Option<Instant>,
    persons: Vec<PersonAwaited>,
}

impl Clock {
    /// Starts the clock of a call. What the call tells of itself goes on to `outer`.
    pub(super) fn start(outer: CallStatus) -> Arc<Self> {
        let state = State { passed: Duration::ZERO, running: Some(Instant::now()), persons: Vec::new() };
        Arc::new(Self { outer, state: Mutex::new(state), changed: Notify::new() })
    }

    /// Returns what the call tells how it gets on.
    pub(super) fn status(self: &Arc<Self>) -> CallStatus {
        CallStatus::new(Arc::clone(self) as Arc<dyn CallObserver>)
    }

    /// Waits until it has run for so long. Cancel safe.
    pub(super) async fn reached(&self, limit: Duration) {
        loop {
            let changed = self.changed.notified();
            let due = {
                let state = self.lock();
                state.running.map(|since| since + limit.saturating_sub(state.passed))
            };
            match due {
                None => changed.await,
                Some(due) => tokio::select! {
                    () = sleep_until(due) => return,
                    () = changed => {}
                },
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for Clock {
    fn progress(&self, progress: ToolProgress) {
        self.outer.progress(progress);
    }

    fn person_awaited(&self, question: &str) {
        let awaited = self.outer.await_person(question);
        let mut state = self.lock();
        state.persons.push(awaited);
        if let Some(since) = state.running.take() {
            state.passed += since.elapsed();
        }
        drop(state);
        self.changed.notify_one();
    }

    fn person_answered(&self) {
        let mut state = self.lock();
        let answered = state.persons.pop();
        if state.persons.is_empty() {
            state.running = Some(Instant::now());
        }
        drop(state);
        // Told without the lock: the session may do anything with it.
        drop(answered);
        self.changed.notify_one();
    }
}
