//! When something is due in sessions that sleep: one index for all sessions of a provider.
//!
//! A session that sleeps has at most one entry here, and no task. What is due is done side by side, but not for more than a
//! few sessions at once: a store takes many requests together, and memory holds only so many sessions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::seat::Seat;
use crate::tasks::{Kind, Tasks};

/// For how many sessions is done at once what is due.
const AT_ONCE: usize = 64;

pub(crate) struct Alarm {
    state: Mutex<State>,
    /// Wakes the watch.
    changed: Notify,
    places: Arc<Semaphore>,
    pub(crate) tasks: Tasks,
}

#[derive(Default)]
struct State {
    /// By the time, and the order in which they were set.
    due: BTreeMap<(Instant, u64), Weak<Seat>>,
    set: u64,
    /// A task waits for the first of them, here.
    is_watched: bool,
}

/// An entry, until it is dropped.
pub(crate) struct Ticket {
    alarm: Arc<Alarm>,
    key: (Instant, u64),
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let is_last = {
            let mut state = self.alarm.lock();
            state.due.remove(&self.key);
            state.due.is_empty()
        };
        if is_last {
            self.alarm.changed.notify_one();
        }
    }
}

impl Alarm {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            changed: Notify::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: Tasks::default(),
        })
    }

    /// Has a session told when something is due in it. The watch is kept on a runtime.
    pub(crate) fn set(self: &Arc<Self>, at: Instant, seat: Weak<Seat>, runtime: &Handle) -> Ticket {
        let key = self.enter(at, seat, Some(runtime));
        Ticket { alarm: Arc::clone(self), key }
    }

    /// Has a session told now.
    pub(crate) fn ring(self: &Arc<Self>, seat: Weak<Seat>) {
        self.enter(Instant::now(), seat, None);
    }

    fn enter(self: &Arc<Self>, at: Instant, seat: Weak<Seat>, runtime: Option<&Handle>) -> (Instant, u64) {
        let mut state = self.lock();
        state.set += 1;
        let key = (at, state.set);
        state.due.insert(key, seat);
        let is_first = state.due.first_key_value().is_some_and(|(first, _)| *first == key);
        let was_watched = std::mem::replace(&mut state.is_watched, true);
        drop(state);
        if !was_watched {
            let watch = Watch { alarm: Arc::clone(self), is_over: false };
            // While a session sleeps there is a watch, so whoever rings without a runtime finds one.
            let current = || Handle::try_current().ok();
            if let Some(runtime) = runtime.cloned().or_else(current) {
                self.tasks.spawn_on(Kind::Waking, &runtime, watch.keep());
            }
        } else if is_first {
            self.changed.notify_one();
        }
        key
    }

    /// Returns a session in which something is due, or when that will be.
    fn next(&self) -> Next {
        let mut state = self.lock();
        let Some(first) = state.due.first_entry() else {
            state.is_watched = false;
            return Next::Nothing;
        };
        let (at, _) = *first.key();
        if at <= Instant::now() { Next::Due(first.remove()) } else { Next::At(at) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Next {
    Nothing,
    At(Instant),
    Due(Weak<Seat>),
}

/// Whoever waits for the first entry. There is one while there are entries.
struct Watch {
    alarm: Arc<Alarm>,
    /// By itself: there was nothing left to wait for.
    is_over: bool,
}

impl Watch {
    async fn keep(mut self) {
        let alarm = Arc::clone(&self.alarm);
        loop {
            match alarm.next() {
                Next::Nothing => {
                    self.is_over = true;
                    return;
                }
                Next::At(at) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = alarm.changed.notified() => {}
                },
                Next::Due(seat) => {
                    let Some(seat) = seat.upgrade() else { continue };
                    // The semaphore is never closed.
                    let place = Arc::clone(&alarm.places).acquire_owned().await;
                    alarm.tasks.spawn(Kind::Waking, async move {
                        seat.rung().await;
                        drop((seat, place));
                    });
                }
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.is_over {
            // Its runtime has ended: the next entry brings another.
            self.alarm.lock().is_watched = false;
        }
    }
}
