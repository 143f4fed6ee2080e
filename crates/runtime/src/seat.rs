//! Where a session is: in memory, or asleep in its journal, with nothing here but this.
//!
//! Whoever uses the session does so through a [`Use`]. When nobody does, no cell runs, and that has been so for a while, the
//! session leaves memory as it does when nobody holds it any more, and its lease is given back. The next use brings it back.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use carrel_contract::error::{ResumeError, StorageFailed};
use carrel_contract::{CodeModeSessionDelegate, Read, Seq, SessionId, SessionState};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::journal::Trouble;
use crate::keeper::{self, Keeper};
use crate::session;
use crate::shared::{Core, Shared};
use crate::tasks::Kind;

/// When a journaled session that is not used leaves memory, although somebody holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hibernation {
    /// After this time: 60 s by default.
    pub idle: Duration,
    /// At once, when more journaled sessions than this are in memory: 1,000 by default.
    pub most_awake: usize,
}

impl Default for Hibernation {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60), most_awake: 1000 }
    }
}

/// How many readings of a session that sleeps are kept; of more, the oldest go, and what they had read is shown again.
const NOTED_READINGS: usize = 1000;

/// One session's place.
pub(crate) struct Seat {
    pub(crate) id: SessionId,
    shared: Arc<Shared>,
    /// Where it sleeps; an ephemeral session has nowhere to.
    keeper: Option<Arc<Keeper>>,
    delegate: Mutex<Arc<dyn CodeModeSessionDelegate>>,
    state: Mutex<State>,
    /// Held by whoever puts it to sleep or wakes it.
    turn: tokio::sync::Mutex<()>,
    /// Sent when it has fallen asleep, has woken, or is held by nobody any more.
    pub(crate) changed: watch::Sender<()>,
    /// Told when a use, or a cell, is over.
    rested: Arc<Notify>,
}

#[derive(Default)]
struct State {
    core: Option<Arc<Core>>,
    /// The last event of its log, while it sleeps.
    last: Seq,
    /// What was read of it, said while it slept.
    noted: VecDeque<Read>,
    uses: usize,
    /// Counts the uses there ever were.
    used: u64,
    /// Nobody holds it any more.
    is_left: bool,
}

/// A session that is in memory and stays there for as long as this lives.
pub(crate) struct Use {
    seat: Arc<Seat>,
    core: Arc<Core>,
}

impl Use {
    pub(crate) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Deref for Use {
    type Target = Arc<Core>;

    fn deref(&self) -> &Arc<Core> {
        &self.core
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.seat.lock().uses -= 1;
        self.seat.rested.notify_one();
    }
}

/// Counts the journaled sessions that are in memory.
pub(crate) struct Awake(Arc<Shared>);

impl Awake {
    fn one_of(shared: &Arc<Shared>) -> Self {
        shared.awake.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.awake.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many sessions are in memory.
pub(crate) type AwakeCount = AtomicUsize;

impl Seat {
    /// Gives a session its place, in use.
    pub(crate) fn hold(
        core: Core,
        keeper: Option<Arc<Keeper>>,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> Use {
        let keeper = keeper.filter(|_| core.log.journal().is_some());
        let seat = Arc::new(Self {
            id: core.id.clone(),
            shared: Arc::clone(&core.shared),
            keeper,
            delegate: Mutex::new(delegate),
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            changed: watch::Sender::default(),
            rested: Arc::default(),
        });
        seat.take(core)
    }

    pub(crate) fn is_journaled(&self) -> bool {
        self.keeper.is_some()
    }

    /// Uses the session; wakes it, if it sleeps. Cancel safe: a waking goes on for whoever comes next.
    pub(crate) async fn enter(self: &Arc<Self>) -> Result<Use, Trouble> {
        if let Some(used) = self.if_awake() {
            return Ok(used);
        }
        let _turn = self.turn.lock().await;
        if let Some(used) = self.if_awake() {
            return Ok(used);
        }
        let Some(keeper) = self.keeper.as_ref().filter(|_| !self.is_left()) else {
            return Err(self.trouble(&"nobody holds it any more"));
        };
        let revived = keeper.revive(self.id.clone(), self.delegate(), Arc::clone(&self.shared)).await;
        let (core, running) = revived.map_err(|error| match error {
            ResumeError::OwnedElsewhere(error) => Trouble::Owner(error),
            ResumeError::StorageFailed(error) => Trouble::Storage(error),
            other => self.trouble(&other),
        })?;
        let core = self.take(core);
        // None, unless another owner had it meanwhile.
        session::go_on(&core, running).map_err(|error| self.trouble(&error))?;
        // Whoever had it before can append nothing from here on.
        core.settled().await?;
        Ok(core)
    }

    /// Uses the session, if it is in memory.
    pub(crate) fn if_awake(self: &Arc<Self>) -> Option<Use> {
        let mut state = self.lock();
        let core = Arc::clone(state.core.as_ref()?);
        state.uses += 1;
        state.used += 1;
        Some(Use { seat: Arc::clone(self), core })
    }

    /// Moves the session's reader past what a look gave it: at once, or when the session wakes.
    pub(crate) fn note_read(&self, read: Read) {
        let mut state = self.lock();
        if let Some(core) = &state.core {
            core.log.note_read(&read);
            return;
        }
        if state.noted.len() == NOTED_READINGS {
            state.noted.pop_front();
        }
        state.noted.push_back(read);
    }

    /// Returns the session, if it is in memory, without using it: it may leave.
    pub(crate) fn listen(&self) -> Option<Arc<Core>> {
        self.lock().core.clone()
    }

    /// Returns the last event of a session that sleeps; `None` when it is in memory.
    pub(crate) fn asleep_at(&self) -> Option<Seq> {
        let state = self.lock();
        state.core.is_none().then_some(state.last)
    }

    /// Tells whether nobody holds it any more.
    pub(crate) fn is_left(&self) -> bool {
        self.lock().is_left
    }

    pub(crate) fn state(&self) -> SessionState {
        self.lock().core.as_ref().map_or(SessionState::Open, |core| core.admission.state())
    }

    /// Hands the session to another owner: callbacks from now on go to this delegate.
    pub(crate) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        *self.delegate.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&delegate);
        if let Some(core) = &self.lock().core {
            core.adopt(delegate);
        }
    }

    /// Lets it go: nobody holds it any more.
    pub(crate) fn leave(&self) {
        let core = {
            let mut state = self.lock();
            state.is_left = true;
            state.core.clone()
        };
        if let Some(core) = core {
            if self.is_journaled() {
                core.suspend();
                keeper::give_back(&core);
            } else {
                core.begin_shutdown();
            }
        }
        self.changed.send_replace(());
        self.rested.notify_one();
    }

    /// Has the session in memory from now on, in use: it does not sleep before its cells go on.
    fn take(self: &Arc<Self>, mut core: Core) -> Use {
        core.rested = Some(Arc::clone(&self.rested));
        if self.is_journaled() {
            core.awake = Some(Awake::one_of(&self.shared));
        }
        let core = Arc::new(core);
        {
            let mut state = self.lock();
            for read in state.noted.drain(..) {
                core.log.note_read(&read);
            }
            state.core = Some(Arc::clone(&core));
            state.uses += 1;
            state.used += 1;
        }
        keeper::hold(&core);
        if let Some(journal) = core.log.journal() {
            let (seat, rested) = (Arc::downgrade(self), Arc::clone(&self.rested));
            let doze = doze(seat, rested, self.shared.hibernation);
            core.tasks.spawn_on(Kind::Lease, &journal.runtime, doze);
        }
        self.changed.send_replace(());
        Use { seat: Arc::clone(self), core }
    }

    /// Returns how many uses there were, of a session that could sleep now.
    fn could_sleep(&self) -> Option<u64> {
        let state = self.lock();
        let core = state.core.as_ref().filter(|_| state.uses == 0)?;
        let is_quiet = core.admission.state() == SessionState::Open
            && core.admission.is_empty()
            && !core.log.has_notices()
            && core.log.journal().is_some_and(|journal| journal.trouble().is_none());
        is_quiet.then_some(state.used)
    }

    /// Puts the session to sleep, if it was not used since.
    async fn sleep(&self, used: u64) -> bool {
        let _turn = self.turn.lock().await;
        if self.could_sleep() != Some(used) {
            return false;
        }
        let core = {
            let mut state = self.lock();
            // Somebody may have come just now.
            if state.used != used {
                return false;
            }
            let Some(core) = state.core.take() else { return false };
            state.last = core.log.last();
            core
        };
        // From here on, whoever comes waits for this turn to be over.
        keeper::put_down(&core).await;
        self.changed.send_replace(());
        true
    }

    fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.delegate.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn trouble(&self, why: &dyn std::fmt::Display) -> Trouble {
        let detail = format!("the session sleeps and cannot be woken: {why}");
        Trouble::Storage(StorageFailed { session_id: self.id.clone(), detail })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a session to sleep when it was not used for a while.
async fn doze(seat: Weak<Seat>, rested: Arc<Notify>, hibernation: Hibernation) {
    loop {
        let Some(used) = seat.upgrade().map(|seat| seat.could_sleep()) else { return };
        let Some(used) = used else {
            rested.notified().await;
            continue;
        };
        let is_crowded =
            seat.upgrade().is_some_and(|it| it.shared.awake.load(Ordering::Relaxed) > hibernation.most_awake);
        if !is_crowded && !hibernation.idle.is_zero() {
            sleep(hibernation.idle).await;
        }
        let Some(seat) = seat.upgrade() else { return };
        if seat.sleep(used).await {
            return;
        }
    }
}
