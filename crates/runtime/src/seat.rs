//! Where a session is: in memory, or asleep in its journal, with nothing here but this.
//!
//! Whoever uses the session does so through a [`Use`]. When nobody does, its cells, if there are any, wait for something
//! outside, and that has been so for a while, the session leaves memory (`asleep`). The next use brings it back, and so does
//! what its cells wait for: `outside` goes on meanwhile, and `alarm` has what is due. `rest` says whether a session may sleep,
//! `crowd` who does when memory is short, as `pressure` says, and `present` which sessions are here at all.

pub(crate) mod alarm;
mod asleep;
pub(crate) mod crowd;
pub(crate) mod outside;
pub(crate) mod present;
mod pressure;
pub(crate) mod rest;

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::error::{ResumeError, StorageFailed};
use carrel_contract::{CodeModeSessionDelegate, Read, Seq, SessionId, SessionState};
use tokio::sync::{Notify, watch};

pub use self::crowd::Hibernation;

use self::asleep::{Asleep, doze};
use crate::journal::Trouble;
use crate::keeper::{self, Keeper, Revived};
use crate::seat::outside::Outside;
use crate::seat::present::{Presence, Taken};
use crate::session;
use crate::shared::{Core, Shared};
use crate::tasks::Kind;

/// How many readings of a session that sleeps are kept; of more, the oldest go, and what they had read is shown again.
const NOTED_READINGS: usize = 1000;

/// One session's place.
pub(crate) struct Seat {
    pub(crate) id: SessionId,
    shared: Arc<Shared>,
    /// Tells when it has left.
    gone: Option<Taken>,
    /// Where it sleeps; an ephemeral session has nowhere to.
    keeper: Option<Arc<Keeper>>,
    delegate: Mutex<Arc<dyn CodeModeSessionDelegate>>,
    state: Mutex<State>,
    /// Held by whoever puts it to sleep or wakes it.
    turn: tokio::sync::Mutex<()>,
    /// Sent when it has fallen asleep, has woken or could not, or is held by nobody any more.
    pub(crate) changed: watch::Sender<()>,
    /// Told when a use, or a cell, is over.
    rested: Arc<Notify>,
}

#[derive(Default)]
struct State {
    core: Option<Arc<Core>>,
    /// The last event of its log, while it sleeps.
    last: Seq,
    /// What stays of cells that wait, while it sleeps.
    asleep: Option<Box<Asleep>>,
    /// What was read of it, said while it slept.
    noted: VecDeque<Read>,
    /// Its place among the sessions that are here, where it is journaled, until nobody holds it any more. Whoever puts it to
    /// sleep, wakes it or lets it go has a part in that until they are done.
    presence: Option<Arc<Presence>>,
    uses: usize,
    /// Counts the uses there ever were.
    used: u64,
    /// Nobody holds it any more.
    is_left: bool,
    /// And it is being given back.
    is_given_back: bool,
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

impl State {
    /// Moves the session's reader past what was read while it slept.
    fn enter_reads(&mut self, core: &Core) {
        for read in self.noted.drain(..) {
            core.log.note_read(&read);
        }
    }

    /// Returns what the session has outside, where there is something.
    fn outside(&self) -> Option<&Arc<Outside>> {
        let asleep = || self.asleep.as_ref().and_then(|asleep| asleep.outside());
        self.core.as_ref().map(|core| &core.outside).or_else(asleep)
    }
}

impl Seat {
    /// Gives a session its place, in use.
    pub(crate) fn hold(
        core: Core,
        keeper: Option<Arc<Keeper>>,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        presence: Option<Presence>,
    ) -> Use {
        let keeper = keeper.filter(|_| core.log.journal().is_some());
        let seat = Arc::new(Self {
            id: core.id.clone(),
            shared: Arc::clone(&core.shared),
            gone: presence.as_ref().and_then(Presence::watched),
            keeper,
            delegate: Mutex::new(delegate),
            state: Mutex::new(State { presence: presence.map(Arc::new), ..State::default() }),
            turn: tokio::sync::Mutex::default(),
            changed: watch::Sender::default(),
            rested: Arc::default(),
        });
        let core = seat.ready(core);
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
        // Nobody else takes it over until this is done, be it left meanwhile or not.
        let presence = self.lock().presence.clone();
        let (Some(keeper), Some(presence)) = (&self.keeper, presence) else {
            return Err(self.trouble(&"nobody holds it any more"));
        };
        let lease = keeper
            .take(&self.id, self.shared.environment.now_us())
            .await
            .map_err(|error| self.no_waking(error))?;
        self.with_asleep(|asleep| asleep.is_taken(&lease));
        let revived = async {
            let (delegate, shared) = (self.delegate(), Arc::clone(&self.shared));
            let revived = keeper.revive(self.id.clone(), lease.clone(), delegate, shared).await?;
            let vms = session::vms(&revived.core, revived.running.len()).await?;
            Ok::<_, ResumeError>((revived, vms))
        };
        let (Revived { mut core, running, at }, vms) = match revived.await {
            Ok(revived) => revived,
            Err(error) => {
                let is_kept = self.lock().asleep.as_ref().is_some_and(|asleep| asleep.keeps(&lease));
                if !is_kept {
                    keeper.release(&self.id, &lease).await;
                }
                return Err(self.no_waking(error));
            }
        };
        // What stayed of its cells, unless another owner had it meanwhile, to whom their calls were lost.
        let asleep = self.lock().asleep.take();
        let asleep = asleep.filter(|asleep| asleep.is_as_of(at));
        let mut parked = asleep.map(|asleep| asleep.wake(&mut core)).unwrap_or_default();
        let core = self.ready(core);
        // Before anybody else finds the session here: whoever ends a cell has to find that.
        session::go_on(&core, running, vms, &mut parked).map_err(|error| self.trouble(&error))?;
        let core = self.take(core);
        if self.is_left() {
            // Just now: it has come back for nobody.
            self.let_go(Some(presence));
            return Err(self.trouble(&"nobody holds it any more"));
        }
        // Whoever had it before can append nothing from here on.
        core.settled().await?;
        Ok(core)
    }

    /// Uses the session for something that happens at once when it is in memory; when it sleeps, after it has woken, whether or
    /// not somebody still waits for that: what was begun goes on.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        what: impl FnOnce(&Core) + Send + 'static,
    ) -> Result<Use, Trouble> {
        if let Some(used) = self.if_awake() {
            what(&used);
            return Ok(used);
        }
        let seat = Arc::clone(self);
        let begun = async move {
            let used = seat.enter().await?;
            what(&used);
            Ok(used)
        };
        self.shared.alarm.tasks.goes_on(Kind::Waking, begun).await
    }

    /// Returns the session for a look at it: in use, or, when it sleeps and nobody holds it any more, as it was written down.
    /// Cancel safe.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<(Arc<Core>, Option<Use>), Trouble> {
        let trouble = match self.enter().await {
            Ok(used) => return Ok((Arc::clone(&used), Some(used))),
            Err(trouble) => trouble,
        };
        let Some(keeper) = self.keeper.as_ref().filter(|_| self.is_left()) else { return Err(trouble) };
        if let Some(gone) = &self.gone {
            // Until it is all written down there is nothing to look at.
            gone.gone().await;
        }
        let read = keeper.look(self.id.clone(), self.delegate(), Arc::clone(&self.shared)).await;
        Ok((Arc::new(read.map_err(|error| self.trouble(&error))?), None))
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
            // It may have been awake for what was not read.
            self.rested.notify_one();
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

    /// Tells whether it sleeps, and something came that could not wake it.
    pub(crate) fn is_stuck(&self) -> bool {
        self.lock().asleep.as_ref().is_some_and(|asleep| asleep.is_stuck())
    }

    /// Tells whether cells of its have places for VMs.
    fn has_vms(&self) -> bool {
        self.listen().is_some_and(|core| core.admission.has_running())
    }

    /// Tells whether nobody holds it any more.
    pub(crate) fn is_left(&self) -> bool {
        self.lock().is_left
    }

    pub(crate) fn state(&self) -> SessionState {
        let Some(core) = self.listen() else { return SessionState::Open };
        match core.log.journal().and_then(|journal| journal.trouble()) {
            // What was written down goes on, in a session that is resumed.
            Some(_) => SessionState::Closed,
            None => core.admission.state(),
        }
    }

    /// Hands the session to another owner: callbacks from now on go to this delegate.
    pub(crate) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        let state = self.lock();
        let before = {
            let mut owner = self.delegate.lock().unwrap_or_else(PoisonError::into_inner);
            (mem::replace(&mut *owner, Arc::clone(&delegate)), state.outside().map(|it| it.adopt(delegate)))
        };
        // No lock is held while what belongs to the delegate goes.
        drop(state);
        drop(before);
    }

    /// Lets it go: nobody holds it any more, or it was shut down and another is to have its place.
    pub(crate) fn leave(&self) {
        let presence = {
            let mut state = self.lock();
            if mem::replace(&mut state.is_left, true) {
                return;
            }
            state.presence.take()
        };
        if let Some(presence) = &presence {
            presence.goes();
        }
        self.let_go(presence);
        self.changed.send_replace(());
        self.rested.notify_one();
    }

    /// Sees that what nobody holds leaves the process. While it falls asleep, or wakes, whoever is at that does so afterwards.
    fn let_go(&self, presence: Option<Arc<Presence>>) {
        let (core, asleep) = {
            let mut state = self.lock();
            let core = state.core.clone().filter(|_| !state.is_given_back);
            state.is_given_back |= core.is_some();
            (core, state.asleep.take())
        };
        match (core, presence.clone()) {
            (Some(core), Some(presence)) => {
                core.suspend();
                keeper::give_back(&core, presence);
            }
            (Some(core), None) => core.begin_shutdown(),
            (None, _) => {}
        }
        if let (Some(asleep), Some(keeper), Some(presence)) = (asleep, &self.keeper, presence) {
            asleep.end(keeper, &self.id, presence);
        }
    }

    /// Makes a session ready that is to be in memory: its log gets what came meanwhile before anything else.
    fn ready(&self, mut core: Core) -> Arc<Core> {
        core.rested = Some(Arc::clone(&self.rested));
        if self.is_journaled() {
            core.awake = Some(self.shared.crowd.enter());
        }
        let core = Arc::new(core);
        core.outside.open(&core);
        self.lock().enter_reads(&core);
        core
    }

    /// Has the session in memory from now on, in use: it does not sleep before its cells go on.
    fn take(self: &Arc<Self>, core: Arc<Core>) -> Use {
        let before = {
            let mut state = self.lock();
            // And what was read just now.
            state.enter_reads(&core);
            state.core = Some(Arc::clone(&core));
            state.uses += 1;
            state.used += 1;
            // Whoever adopted it just now found neither it nor what stayed of it.
            core.outside.adopt(self.delegate())
        };
        // No lock is held while what belongs to the delegate goes.
        drop(before);
        keeper::hold(&core);
        if let Some(journal) = core.log.journal() {
            let (seat, rested) = (Arc::downgrade(self), Arc::clone(&self.rested));
            let doze = doze(seat, rested, Arc::clone(&self.shared.crowd));
            core.outside.tasks.spawn_on(Kind::Lease, &journal.runtime, doze);
        }
        self.changed.send_replace(());
        Use { seat: Arc::clone(self), core }
    }

    fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.delegate.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn no_waking(&self, error: ResumeError) -> Trouble {
        match error {
            ResumeError::OwnedElsewhere(error) => Trouble::Owner(error),
            ResumeError::StorageFailed(error) => Trouble::Storage(error),
            other => self.trouble(&other),
        }
    }

    fn trouble(&self, why: &dyn std::fmt::Display) -> Trouble {
        let detail = format!("the session sleeps and cannot be woken: {why}");
        Trouble::Storage(StorageFailed { session_id: self.id.clone(), detail })
    }

    /// Waits until it does not fall asleep any more, and what it did is written down.
    pub(crate) async fn settled(self: &Arc<Self>) -> Result<(), Trouble> {
        if let Some(used) = self.if_awake() {
            return used.settled().await;
        }
        drop(self.turn.lock().await);
        match self.if_awake() {
            Some(used) => used.settled().await,
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
