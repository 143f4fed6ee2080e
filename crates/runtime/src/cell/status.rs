//! What is heard of a call while its delegate works on it: its progress, and that it waits for a person.
//!
//! The time for which a person is waited for is not the tool's, so the clock that ends a slow call stands still.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use carrel_contract::{CallObserver, CallStatus, CellId, EventKind, ToolCallId, ToolProgress};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::log::cut_text;
use crate::outside::{News, Outside};

/// Of what comes faster than this, some is dropped: the log is for people.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// The most that is kept of a message of a call's.
const MESSAGE_BYTES: usize = 4096;

/// One call under way. Its delegate may keep this for longer than the session lives.
pub(super) struct Status {
    outside: Weak<Outside>,
    cell_id: CellId,
    call_id: ToolCallId,
    state: Mutex<State>,
    /// Wakes whoever holds the call to its time.
    changed: Notify,
}

/// The call is under way for as long as this lives; then nothing is heard of it any more.
pub(super) struct Open(Arc<Status>);

impl Open {
    /// Returns what the delegate is given.
    pub(super) fn handle(&self) -> CallStatus {
        CallStatus::new(Arc::clone(&self.0) as Arc<dyn CallObserver>)
    }
}

impl Deref for Open {
    type Target = Status;

    fn deref(&self) -> &Status {
        &self.0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[derive(Default)]
struct State {
    over: bool,
    last_progress: Option<Instant>,
    /// How many waits for a person are under way, and since when there is one.
    persons: usize,
    since: Option<Instant>,
    /// For how long persons were waited for before that.
    waited: Duration,
}

impl Status {
    pub(super) fn open(outside: &Arc<Outside>, cell_id: CellId, call_id: ToolCallId) -> Open {
        let (outside, state, changed) = (Arc::downgrade(outside), Mutex::default(), Notify::new());
        Open(Arc::new(Self { outside, cell_id, call_id, state, changed }))
    }

    fn close(&self) {
        let awaited = {
            let mut state = self.lock();
            state.over = true;
            std::mem::take(&mut state.persons) > 0
        };
        if awaited {
            self.append(EventKind::PersonAnswered { call_id: self.call_id.clone() });
        }
    }

    /// Waits until the call has had its time, not counting the time for which a person was waited for. Cancel safe.
    pub(super) async fn time_is_up(&self, limit: Duration) {
        let begun = Instant::now();
        loop {
            let changed = self.changed.notified();
            let up = {
                let state = self.lock();
                state.since.is_none().then(|| begun + limit + state.waited)
            };
            match up {
                None => changed.await,
                Some(up) => tokio::select! {
                    biased;
                    () = sleep_until(up) => return,
                    () = changed => {}
                },
            }
        }
    }

    fn append(&self, kind: EventKind) {
        if let Some(outside) = self.outside.upgrade() {
            outside.tell(News::Status(self.cell_id.clone(), kind));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for Status {
    fn progress(&self, progress: ToolProgress) {
        let now = Instant::now();
        {
            let mut state = self.lock();
            let too_soon = state.last_progress.is_some_and(|last| now - last < PROGRESS_INTERVAL);
            if state.over || too_soon {
                return;
            }
            state.last_progress = Some(now);
        }
        let progress = ToolProgress {
            percent: progress.percent.map(|percent| percent.min(100)),
            message: progress.message.map(|message| cut_text(&message, MESSAGE_BYTES)),
        };
        self.append(EventKind::ToolProgressed { call_id: self.call_id.clone(), progress });
    }

    fn person_awaited(&self, question: &str) {
        {
            let mut state = self.lock();
            if state.over {
                return;
            }
            state.persons += 1;
            if state.persons > 1 {
                return;
            }
            state.since = Some(Instant::now());
        }
        self.changed.notify_one();
        let question = cut_text(question, MESSAGE_BYTES);
        self.append(EventKind::PersonAwaited { call_id: self.call_id.clone(), question });
    }

    fn person_answered(&self) {
        {
            let mut state = self.lock();
            if state.persons == 0 {
                return;
            }
            state.persons -= 1;
            if state.persons > 0 {
                return;
            }
            if let Some(since) = state.since.take() {
                state.waited += since.elapsed();
            }
        }
        self.changed.notify_one();
        self.append(EventKind::PersonAnswered { call_id: self.call_id.clone() });
    }
}
