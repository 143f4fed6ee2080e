//! How a session falls asleep, what stays of it here, and what wakes it.
//!
//! Its cells leave as they do when the process ends, but their calls under way go on, and when their timers are due is
//! remembered. An answer, a timer, or what is heard of a call wakes it.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Weak};
use std::time::Duration;

use carrel_contract::{SessionId, SessionState};
use carrel_journal::error::AcquireError;
use carrel_journal::{Lease, Position};
use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::Seat;
use crate::cell::Parked;
use crate::journal::Trouble;
use crate::keeper::{self, Keeper, LEASE_TIME, Ownership, SLEEPING_LEASE_TIME};
use crate::number::CellNumber;
use crate::seat::alarm::Ticket;
use crate::seat::crowd::Crowd;
use crate::seat::outside::Outside;
use crate::seat::present::Presence;
use crate::shared::Core;
use crate::tasks::Kind;

/// How long a session that cannot be woken is left alone, at first, and at most: each time twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// What stays of the cells of a session that sleeps.
pub(super) struct Asleep {
    /// The last entry of its journal, when that is known.
    at: Option<Position>,
    cells: BTreeMap<CellNumber, Box<Parked>>,
    /// There when calls are under way.
    outside: Option<Arc<Outside>>,
    runtime: Handle,
    wake_at: Option<Instant>,
    /// That it is still this process's, where calls are under way.
    lease: Option<Lease>,
    /// When that has to be spoken for.
    renew_at: Option<Instant>,
    /// Before this it is not woken again, whatever comes: it could not be.
    not_before: Instant,
    retry: Duration,
    /// The last attempt to wake it failed.
    is_stuck: bool,
    ticket: Option<Ticket>,
}

/// How often a session was used, and something stirred in it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    used: u64,
    stirred: u64,
}

impl Asleep {
    pub(super) fn outside(&self) -> Option<&Arc<Outside>> {
        self.outside.as_ref()
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck
    }

    /// Tells whether nobody has written on since.
    pub(super) fn is_as_of(&self, at: Position) -> bool {
        self.at == Some(at)
    }

    /// Gives what stayed to the session that has come back.
    pub(super) fn wake(self, core: &mut Core) -> BTreeMap<CellNumber, Box<Parked>> {
        if let Some(outside) = self.outside {
            core.outside = outside;
        }
        self.cells
    }

    /// Ends the calls under way: nobody holds the session any more.
    pub(super) fn end(self, keeper: &Arc<Keeper>, id: &SessionId, presence: Arc<Presence>) {
        let Self { cells, outside: Some(outside), runtime, lease, .. } = self else { return };
        let (keeper, id, held) = (Arc::clone(keeper), id.clone(), Arc::clone(&outside));
        held.tasks.spawn_on(Kind::Lease, &runtime, async move {
            let grace = outside.limits.callback_grace;
            join_all(cells.into_values().map(|cell| cell.end(grace))).await;
            if let Some(lease) = lease {
                keeper.release(&id, &lease).await;
            }
            drop(presence);
        });
    }

    /// The session was taken over by its owner again, to be woken, which may fail: the lease is as short as one of those that
    /// are awake.
    pub(super) fn is_taken(&mut self, lease: &Lease) {
        if self.lease.is_some() {
            self.lease = Some(lease.clone());
            self.renew_at = Some(Instant::now() + LEASE_TIME / 3);
        }
    }

    /// Tells whether this is the lease that is kept.
    pub(super) fn keeps(&self, lease: &Lease) -> bool {
        self.lease.as_ref() == Some(lease)
    }

    /// Returns when the session is to wake.
    fn wakes_at(&self) -> Option<Instant> {
        let has_come = self.outside.as_ref().is_some_and(|outside| outside.has_news())
            || self.cells.values().any(|cell| cell.is_answered())
            // There is none before it any more: its turn had come when its session fell asleep.
            || self.cells.first_key_value().is_some_and(|(_, cell)| cell.waits_for_turn());
        if has_come { Some(self.not_before) } else { self.wake_at.map(|at| at.max(self.not_before)) }
    }

    /// Has the session told when something is due.
    fn set_alarm(&mut self, seat: &Arc<Seat>) {
        self.ticket = None;
        let due = self.wakes_at().into_iter().chain(self.renew_at).min();
        let set = |at| seat.shared.alarm.set(at, Arc::downgrade(seat), &self.runtime);
        self.ticket = due.map(set);
    }
}

impl Seat {
    /// Returns what was seen of a session that could sleep now.
    fn could_sleep(&self) -> Option<Seen> {
        let state = self.lock();
        let core = state.core.as_ref().filter(|_| state.uses == 0 && !state.is_left)?;
        let stirred = core.rest.at_rest()?;
        is_quiet(core).then_some(Seen { used: state.used, stirred })
    }

    /// Puts the session to sleep, if it was not used, and nothing stirred in it, since.
    async fn sleep(self: &Arc<Self>, seen: Seen) -> bool {
        let _turn = self.turn.lock().await;
        let (core, presence) = {
            let mut state = self.lock();
            let is_as_seen = state.uses == 0 && state.used == seen.used && !state.is_left;
            let Some(core) = state.core.clone().filter(|_| is_as_seen) else { return false };
            // What is heard of a call from here on wakes it: a notice to its reader is written down nowhere.
            core.outside.shut(Arc::downgrade(self));
            if !(is_quiet(&core) && core.rest.fall_asleep(seen.stirred)) {
                core.outside.open(&core);
                return false;
            }
            state.core = None;
            state.last = core.log.last();
            (core, state.presence.clone())
        };
        // From here on, whoever comes waits for this turn to be over, and whatever comes for a cell, until the session wakes.
        for control in core.admission.controls() {
            control.park();
        }
        core.admission.empty().await;
        let cells = mem::take(&mut *core.parked());
        let has_calls = cells.values().any(|cell| cell.has_calls());
        let at = keeper::put_down(&core, has_calls).await;
        {
            let mut state = self.lock();
            state.last = core.log.last();
            if let (false, Some(journal)) = (cells.is_empty(), core.log.journal()) {
                let mut asleep = Box::new(Asleep {
                    at,
                    wake_at: cells.values().filter_map(|cell| cell.due()).min(),
                    lease: core.ownership.as_ref().filter(|_| has_calls).map(Ownership::lease),
                    renew_at: has_calls.then(|| Instant::now() + LEASE_TIME / 3),
                    cells,
                    outside: has_calls.then(|| Arc::clone(&core.outside)),
                    runtime: journal.runtime.clone(),
                    not_before: Instant::now(),
                    retry: FIRST_RETRY,
                    is_stuck: false,
                    ticket: None,
                });
                asleep.set_alarm(self);
                state.asleep = Some(asleep);
            }
        }
        if self.is_left() {
            self.let_go(presence);
        }
        self.changed.send_replace(());
        true
    }

    /// Does what is due in a session that sleeps.
    pub(crate) async fn rung(self: &Arc<Self>) {
        let now = Instant::now();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let (wakes, renews) = match &self.lock().asleep {
            Some(asleep) => (is_due(asleep.wakes_at()), is_due(asleep.renew_at)),
            None => return,
        };
        if renews && !wakes {
            self.speak_for().await;
        } else if !wakes {
            // What came wakes it later.
            self.with_asleep(|_| ());
        } else if let Err(trouble) = self.enter().await {
            tracing::warn!(session = %self.id, %trouble, "the session sleeps and cannot be woken");
            self.with_asleep(|asleep| {
                let wait = match trouble {
                    // It may be given back.
                    Trouble::Owner(_) => LEASE_TIME,
                    Trouble::Storage(_) => asleep.retry,
                };
                asleep.retry = (asleep.retry * 2).min(LAST_RETRY);
                asleep.not_before = Instant::now() + wait;
                asleep.is_stuck = true;
            });
            self.changed.send_replace(());
        }
    }

    /// Keeps the lease of a session that sleeps while calls are under way.
    async fn speak_for(self: &Arc<Self>) {
        let _turn = self.turn.lock().await;
        let (Some(keeper), true) = (&self.keeper, self.lock().asleep.is_some()) else { return };
        let kept = keeper.keep(&self.id, self.shared.environment.now_us()).await;
        let mut lost = BTreeMap::new();
        self.with_asleep(|asleep| {
            let now = Instant::now();
            match kept {
                Ok(lease) => {
                    (asleep.lease, asleep.renew_at) = (Some(lease), Some(now + SLEEPING_LEASE_TIME / 3));
                }
                Err(AcquireError::OwnedElsewhere { owner, .. }) => {
                    tracing::warn!(session = %self.id, %owner, "the session was taken over while it slept");
                    // To its new owner the calls under way are lost.
                    lost = mem::take(&mut asleep.cells);
                    (asleep.at, asleep.lease, asleep.renew_at) = (None, None, None);
                    (asleep.wake_at, asleep.not_before) = (Some(now), now + LEASE_TIME);
                }
                Err(AcquireError::Store(error)) => {
                    tracing::warn!(session = %self.id, %error, "the lease was not renewed");
                    asleep.renew_at = Some(now + LEASE_TIME / 3);
                }
            }
        });
        // No lock is held while what belongs to the delegate goes.
        drop(lost);
    }

    /// Changes what is due in a session, if it sleeps.
    pub(super) fn with_asleep(self: &Arc<Self>, change: impl FnOnce(&mut Asleep)) {
        if let Some(asleep) = &mut self.lock().asleep {
            change(asleep);
            asleep.set_alarm(self);
        }
    }
}

/// Tells whether nothing keeps a session in memory that is at rest.
fn is_quiet(core: &Core) -> bool {
    core.admission.state() == SessionState::Open
        && !core.log.has_notices()
        && core.log.journal().is_some_and(|journal| journal.trouble().is_none())
}

/// Puts a session to sleep when it was not used for a while.
pub(super) async fn doze(seat: Weak<Seat>, rested: Arc<Notify>, crowd: Arc<Crowd>) {
    let idle = crowd.hibernation.idle;
    loop {
        let Some(seen) = seat.upgrade().filter(|seat| !seat.is_left()).map(|seat| seat.could_sleep()) else {
            return;
        };
        let Some(seen) = seen else {
            rested.notified().await;
            continue;
        };
        let has_vms = {
            let seat = Weak::clone(&seat);
            move || seat.upgrade().is_some_and(|seat| seat.has_vms())
        };
        let resting = crowd.rest(has_vms);
        let was_asked = tokio::select! {
            biased;
            () = resting.asked_to_go() => true,
            () = sleep(idle), if !idle.is_zero() => false,
            () = std::future::ready(()), if idle.is_zero() => false,
        };
        let Some(seat) = seat.upgrade() else { return };
        if seat.sleep(seen).await {
            return;
        }
        drop(resting);
        if was_asked {
            crowd.somebody_else();
        }
    }
}
