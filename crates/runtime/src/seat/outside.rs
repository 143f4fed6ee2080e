//! What a session has outside: its delegate, and the calls that are under way there.
//!
//! It lives on while the session sleeps. What is heard of a call goes to the session's log; while there is none in memory
//! it is kept here, and wakes the session.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use carrel_contract::{CellId, CodeModeSessionDelegate, EventKind, Limits, ToolCallId};
use carrel_journal::Record;
use tokio::sync::{Semaphore, oneshot};

use crate::journal;
use crate::seat::Seat;
use crate::shared::{Core, Shared};
use crate::tasks::Tasks;

/// What is kept of calls that report again and again while their session cannot be woken.
const KEPT_NEWS: usize = 1024;

pub(crate) struct Outside {
    pub(crate) shared: Arc<Shared>,
    pub(crate) limits: Limits,
    pub(crate) tasks: Tasks,
    /// Places for tool calls under way; calls over it wait their turn, in order.
    pub(crate) call_places: Semaphore,
    delegate: Mutex<Arc<dyn CodeModeSessionDelegate>>,
    desk: Mutex<Desk>,
}

/// Where news of calls go.
enum Desk {
    /// Into the log of a session in memory.
    Open(Weak<Core>),
    /// Here, until the session wakes.
    Shut { news: Vec<News>, seat: Weak<Seat> },
}

/// What is heard of a call, in the log's words.
pub(crate) enum News {
    Status {
        cell_id: CellId,
        kind: EventKind,
        /// What the record says besides: of a wait, that the person decides on the call; of its end, whether it may leave.
        said: Option<bool>,
        /// Whoever waits until it is in the log.
        entered: Option<oneshot::Sender<Arc<Core>>>,
    },
    MadeGood {
        cell_id: CellId,
        call_id: ToolCallId,
        repeated: bool,
    },
}

impl Outside {
    pub(crate) fn new(
        shared: Arc<Shared>,
        limits: Limits,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> Self {
        Self {
            call_places: Semaphore::new(limits.pending_tool_calls.min(Semaphore::MAX_PERMITS)),
            tasks: Tasks::default(),
            delegate: Mutex::new(delegate),
            desk: Mutex::new(Desk::Open(Weak::new())),
            shared,
            limits,
        }
    }

    pub(crate) fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.delegate.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands the session to another owner: callbacks from now on go to this delegate. Returns the one before, which may do
    /// something as it goes.
    pub(crate) fn adopt(
        &self,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> Arc<dyn CodeModeSessionDelegate> {
        mem::replace(&mut *self.delegate.lock().unwrap_or_else(PoisonError::into_inner), delegate)
    }

    /// Passes on what is heard of a call.
    pub(crate) fn tell(&self, heard: News) {
        let mut desk = self.desk();
        match &mut *desk {
            Desk::Open(core) => {
                if let Some(core) = core.upgrade() {
                    heard.enter(&core);
                }
            }
            Desk::Shut { news, seat } => {
                if news.len() < KEPT_NEWS
                    || !matches!(heard, News::Status { kind: EventKind::ToolProgressed { .. }, .. })
                {
                    news.push(heard);
                }
                self.shared.alarm.ring(seat.clone());
            }
        }
    }

    /// Wakes the session, if it sleeps: a call is done.
    pub(crate) fn ring(&self) {
        if let Desk::Shut { seat, .. } = &*self.desk() {
            self.shared.alarm.ring(seat.clone());
        }
    }

    /// The session is in memory from now on. What was heard meanwhile is the first that its log gets.
    pub(crate) fn open(&self, core: &Arc<Core>) {
        let mut desk = self.desk();
        let before = mem::replace(&mut *desk, Desk::Open(Arc::downgrade(core)));
        if let Desk::Shut { news, .. } = before {
            news.into_iter().for_each(|heard| heard.enter(core));
        }
    }

    /// The session leaves memory: what was heard so far is in its log.
    pub(crate) fn shut(&self, seat: Weak<Seat>) {
        *self.desk() = Desk::Shut { news: Vec::new(), seat };
    }

    /// Tells whether something was heard while the session sleeps.
    pub(crate) fn has_news(&self) -> bool {
        matches!(&*self.desk(), Desk::Shut { news, .. } if !news.is_empty())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News {
    fn enter(self, core: &Arc<Core>) {
        match self {
            Self::Status { cell_id, kind, said, entered } => {
                core.log.append(&cell_id, kind, |kind| {
                    let mut record = journal::status(&cell_id, kind);
                    if let Record::PersonAwaited { decides: it, .. }
                    | Record::PersonAnswered { leaves: it, .. } = &mut record
                    {
                        *it = said;
                    }
                    record
                });
                if let Some(entered) = entered {
                    // One that is not waited for any more needs no answer.
                    entered.send(Arc::clone(core)).ok();
                }
            }
            Self::MadeGood { cell_id, call_id, repeated } => {
                core.log.call_made_good(&cell_id, &call_id, repeated);
            }
        }
    }
}
