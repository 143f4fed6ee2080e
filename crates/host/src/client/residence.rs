//! A session, wherever it is: the host that has it at the moment, and its move to another when that one is lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use carrel_contract::error::HostLost;
use carrel_contract::{
    CellId, CodeModeSessionDelegate, Durability, Read, Seq, SessionId, SessionSpec, SessionState,
};
use carrel_wire::{Reading, Reply, ToHost};
use tokio::sync::watch;
use tokio::time::Instant;

use super::channel::Channel;
use super::ledger::Ledger;
use super::names::Names;
use super::opening::{Opening, create, resume};
use super::provider::Home;
use super::slot::DelegateSlot;

/// Losses of a host in the course of one request after which it is given up.
pub(super) const LOSSES: usize = 3;
/// A host that is lost sooner than this may have died of the session: one that loses hosts in a row is not brought to
/// another until somebody uses it.
const LASTS: Duration = Duration::from_secs(60);
/// Readings that are remembered for the next host while there is none.
const READINGS: usize = 1024;
/// Those that are remembered while there is one: it may be gone already, or go before it has written them down.
const RECENT: usize = 64;

/// See the [module](self).
pub(super) struct Residence {
    pub(super) id: SessionId,
    /// What it is made of again, when it was in memory.
    pub(super) spec: Mutex<SessionSpec>,
    durability: Durability,
    pub(super) home: Arc<dyn Home>,
    pub(super) delegate: Arc<DelegateSlot>,
    state: Mutex<State>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    /// Held while a host is looked for.
    moving: tokio::sync::Mutex<()>,
    /// Tells of each new host, and of the end.
    pub(super) moved: watch::Sender<()>,
}

/// Where it is just now.
pub(super) struct State {
    pub(super) channel: Arc<Channel>,
    /// The newest event that was shown.
    pub(super) newest: Seq,
    /// Its loss is in the ledger.
    is_noted: bool,
    /// Nobody holds it any more.
    pub(super) is_released: bool,
    pub(super) is_closed: bool,
    /// What was read of a journaled session, the last of it: a host that is lost may not have heard of that.
    readings: VecDeque<Reading>,
}

impl Residence {
    pub(super) fn new(
        opening: Opening,
        id: SessionId,
        channel: Arc<Channel>,
        ledger: Arc<Mutex<Ledger>>,
    ) -> Self {
        let state = State {
            channel,
            newest: Seq::START,
            is_noted: false,
            is_released: false,
            is_closed: false,
            readings: VecDeque::new(),
        };
        Self {
            id,
            durability: opening.spec.durability,
            spec: Mutex::new(opening.spec),
            home: opening.home,
            delegate: opening.delegate,
            state: Mutex::new(state),
            ledger,
            moving: tokio::sync::Mutex::default(),
            moved: watch::channel(()).0,
        }
    }

    pub(super) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        self.delegate.set(delegate);
    }

    /// Notes that the session was deleted.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.moved.send_replace(());
    }

    /// Returns the stream that there is, which may be lost, and what it calls things.
    pub(super) fn channel(&self) -> Arc<Channel> {
        Arc::clone(&self.state().channel)
    }

    /// Returns the id by which the host knows the session, when that is known.
    pub(super) fn id_in_host(&self) -> Option<SessionId> {
        self.channel().host_id.get().cloned()
    }

    pub(super) fn is_journaled(&self) -> bool {
        self.durability == Durability::Journaled
    }

    pub(super) fn names(&self, channel: &Channel) -> Names {
        channel.names.get().cloned().unwrap_or_else(|| Names {
            session_id: self.id.clone(),
            generation: 1,
            base: 0,
        })
    }

    pub(super) fn lost(&self, channel: &Channel) -> HostLost {
        HostLost { session_id: Some(self.id.clone()), detail: channel.connection().why_lost().to_string() }
    }

    /// Notes the loss of a host that a session in memory had, once.
    pub(super) fn note_loss(&self, channel: &Arc<Channel>) {
        if self.is_journaled() || !channel.connection().is_lost() {
            return;
        }
        let mut state = self.state();
        if !Arc::ptr_eq(&state.channel, channel) || state.is_noted {
            return;
        }
        state.is_noted = true;
        // What is on its way to readers counts as shown.
        state.newest = state.newest.max(self.names(channel).seq_outward(channel.sightings.newest()));
        state.newest = lock(&self.ledger).lose(&channel.connection().why_lost(), state.newest);
    }

    /// Notes the admission of a cell.
    pub(super) fn note_started(&self, channel: &Arc<Channel>, cell_id: &CellId) {
        let mut state = self.state();
        // Others may have heard of the loss of its host before its owner looked at this.
        let is_late = !self.is_journaled() && (!Arc::ptr_eq(&state.channel, channel) || state.is_noted);
        let mut ledger = lock(&self.ledger);
        if is_late {
            let why = channel.connection().why_lost();
            state.newest = ledger.started_and_lost(cell_id.clone(), &why, state.newest);
        } else {
            ledger.started(cell_id.clone());
        }
    }

    /// Returns a stream that is not lost, in another host when it must be.
    pub(super) async fn live(&self) -> Result<Arc<Channel>, HostLost> {
        let channel = self.channel();
        if !channel.connection().is_lost() {
            return Ok(channel);
        }
        let _moving = self.moving.lock().await;
        let channel = self.channel();
        if !channel.connection().is_lost() {
            return Ok(channel);
        }
        if self.state().is_released || channel.state() != SessionState::Open {
            return Err(self.lost(&channel));
        }
        self.note_loss(&channel);
        let owner = self.home.connect().await?;
        let spec = self.spec.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lock(&self.ledger).moved();
        let new = if self.is_journaled() {
            resume::<carrel_contract::error::ResumeError>(
                &owner,
                &self.delegate,
                &self.ledger,
                &spec,
                &self.id,
            )
            .await
            .map_err(|error| self.not_moved(&error))?
        } else {
            let generation = self.names(&channel).generation + 1;
            let (id, base) = (self.id.clone(), self.state().newest.0);
            let names = |_| Names { session_id: id, generation, base };
            create::<carrel_contract::error::CreateError>(&owner, &self.delegate, &self.ledger, spec, names)
                .await
                .map_err(|error| self.not_moved(&error))?
                .0
        };
        let is_released = {
            let mut state = self.state();
            state.channel = Arc::clone(&new);
            state.is_noted = false;
            for reading in &state.readings {
                let reading = Reading { earlier: Some(true), ..reading.clone() };
                new.push(&ToHost::NoteRead { reading });
            }
            state.is_released
        };
        if is_released {
            new.release();
        }
        self.moved.send_replace(());
        Ok(new)
    }

    /// Has a journaled session go on in another host as soon as one is lost, for as long as somebody holds it: its cells run
    /// whether anybody waits for them or not.
    pub(super) fn keep_going(self: &Arc<Self>) {
        if self.is_journaled() {
            self.channel().connection().tasks.spawn(keep_going(Arc::downgrade(self)));
        }
    }

    /// Asks what may be asked twice: in the next host, where one is lost that had a journaled session.
    pub(super) async fn ask_again(
        &self,
        message: impl Fn(u64) -> ToHost,
    ) -> Result<(Arc<Channel>, Option<Reply>), HostLost> {
        let mut losses = 0;
        loop {
            let channel = self.live().await?;
            let reply = channel.ask(&message).await;
            if reply.is_some() || !self.is_journaled() || losses == LOSSES {
                return Ok((channel, reply));
            }
            losses += 1;
        }
    }

    /// Tells the host what was read.
    pub(super) fn note_read(&self, read: &Read) {
        let channel = self.channel();
        let names = self.names(&channel);
        let Some(cell_id) = names.inward(&read.cell_id) else { return };
        let after = read.after.map(|after| names.seq_inward(after).0);
        let cursor = names.seq_inward(read.cursor).0;
        self.note(
            &channel,
            Reading { cell_id: cell_id.into(), after, cursor, moves: read.moves, earlier: None },
        );
    }

    /// The same of what a host showed: the next one is told, where a journaled session has lost that one.
    pub(super) fn note(&self, of: &Channel, reading: Reading) {
        if !self.is_journaled() {
            return of.push(&ToHost::NoteRead { reading });
        }
        let mut state = self.state();
        let is_lost = state.channel.connection().is_lost();
        while state.readings.len() >= if is_lost { READINGS } else { RECENT } {
            state.readings.pop_front();
        }
        state.readings.push_back(reading.clone());
        if !is_lost {
            state.channel.push(&ToHost::NoteRead { reading });
        }
    }

    fn not_moved(&self, error: &dyn std::fmt::Display) -> HostLost {
        let detail = format!("it was lost, and the session does not go on in another: failed to {error}");
        HostLost { session_id: Some(self.id.clone()), detail }
    }

    /// Gives the session up.
    pub(super) fn release(&self) {
        let channel = {
            let mut state = self.state();
            state.is_released = true;
            Arc::clone(&state.channel)
        };
        channel.release();
        self.moved.send_replace(());
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

async fn keep_going(held: Weak<Residence>) {
    let mut losses = 0;
    loop {
        let begun = Instant::now();
        let Some((mut moved, lost)) = held.upgrade().and_then(|residence| {
            let moved = residence.moved.subscribe();
            let state = residence.state();
            let lost = state.channel.connection().lost.clone();
            (!state.is_released && !state.is_closed).then_some((moved, lost))
        }) else {
            return;
        };
        tokio::select! {
            () = lost.cancelled() => {}
            // To another host; or the session is given up.
            _ = moved.changed() => continue,
        }
        let Some(residence) = held.upgrade() else { return };
        losses = if begun.elapsed() < LASTS { losses + 1 } else { 1 };
        if losses <= LOSSES {
            // What failed is tried again.
            residence.live().await.ok();
            continue;
        }
        drop(residence);
        if moved.changed().await.is_err() {
            return;
        }
        losses = 0;
    }
}

/// Locks what no holder leaves in pieces.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
