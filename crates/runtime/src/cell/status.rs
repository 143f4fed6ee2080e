//! What is heard of a call while its delegate works on it: its progress, and that it waits for a person.
//!
//! The time for which a person is waited for is not the tool's, so the clock that ends a slow call stands still.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use carrel_contract::{
    CallObserver, CallStatus, CellId, CodeModeFuture, EventKind, ToolCallId, ToolError, ToolErrorCode,
    ToolProgress,
};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::log::cut_text;
use crate::seat::outside::{News, Outside};
use crate::shared::Core;

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
    /// The first of them decides whether the call is made.
    decides: bool,
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
            (std::mem::take(&mut state.persons) > 0).then_some(!state.decides)
        };
        if let Some(leaves) = awaited {
            self.say_answered(leaves, None);
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
        self.tell(kind, None, None);
    }

    /// Passes on what is heard, with what its record says besides, and with whoever waits until it is in the log.
    fn tell(&self, kind: EventKind, said: Option<bool>, entered: Option<oneshot::Sender<Arc<Core>>>) {
        if let Some(outside) = self.outside.upgrade() {
            outside.tell(News::Status { cell_id: self.cell_id.clone(), kind, said, entered });
        }
    }

    /// Stops the clock, and says so where nobody was waited for.
    fn begin_wait(&self, question: &str, decides: bool, entered: Option<oneshot::Sender<Arc<Core>>>) {
        {
            let mut state = self.lock();
            if state.over {
                return;
            }
            state.persons += 1;
            if state.persons > 1 {
                return;
            }
            (state.since, state.decides) = (Some(Instant::now()), decides);
        }
        self.changed.notify_one();
        let question = cut_text(question, MESSAGE_BYTES);
        let kind = EventKind::PersonAwaited { call_id: self.call_id.clone(), question };
        self.tell(kind, decides.then_some(true), entered);
    }

    /// Has the clock go on, and says so where nobody is waited for any more.
    fn end_wait(&self, leaves: bool, entered: Option<oneshot::Sender<Arc<Core>>>) {
        {
            let mut state = self.lock();
            if state.persons == 0 {
                return;
            }
            state.persons -= 1;
            let is_decided = leaves && std::mem::take(&mut state.decides);
            if state.persons > 0 && !is_decided {
                return;
            }
            if state.persons == 0
                && let Some(since) = state.since.take()
            {
                state.waited += since.elapsed();
            }
        }
        self.changed.notify_one();
        self.say_answered(leaves, entered);
    }

    fn say_answered(&self, leaves: bool, entered: Option<oneshot::Sender<Arc<Core>>>) {
        let kind = EventKind::PersonAnswered { call_id: self.call_id.clone() };
        self.tell(kind, (!leaves).then_some(false), entered);
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
        self.begin_wait(question, false, None);
    }

    fn person_answered(&self) {
        self.end_wait(true, None);
    }

    fn approval_awaited(&self, question: &str) -> CodeModeFuture<'_, (), ToolError> {
        let (entered, log) = oneshot::channel();
        self.begin_wait(question, true, Some(entered));
        Box::pin(written_down(log))
    }

    fn approval_given(&self) -> CodeModeFuture<'_, (), ToolError> {
        let (entered, log) = oneshot::channel();
        self.end_wait(true, Some(entered));
        Box::pin(written_down(log))
    }

    fn approval_over(&self) {
        self.end_wait(false, None);
    }
}

/// Waits until what was said is in the log of the session, which may have to wake for that, and durable.
async fn written_down(log: oneshot::Receiver<Arc<Core>>) -> Result<(), ToolError> {
    let gone = || {
        let message = "the session is gone, or can write nothing down any more";
        ToolError::new(ToolErrorCode::Cancelled, message)
    };
    let core = log.await.map_err(|_| gone())?;
    core.settled().await.map_err(|_| gone())
}
