//! One session on one connection: the stream that it has, and where its callbacks go.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use carrel_contract::{CellId, SessionId, SessionState, ToolDescription};
use carrel_wire::{ToHost, encode};
use tokio::sync::Notify;

use super::callbacks::Callbacks;
use super::connection::{Connection, Owner, Pending};
use super::feed::{Feed, Following, ROOM};
use super::ledger::Close;
use super::names::Names;
use super::sightings::Sightings;
use super::slot::DelegateSlot;

/// See the [module](self).
pub(crate) struct Channel {
    pub(super) stream: u32,
    pub(super) owner: Arc<Owner>,
    pub(super) delegate: Arc<DelegateSlot>,
    /// There once the session has its id.
    pub(super) names: OnceLock<Names>,
    /// The id by which the host knows the session.
    pub(super) host_id: OnceLock<SessionId>,
    pub(super) grace: Duration,
    state: AtomicU8,
    is_released: AtomicBool,
    pub(super) callbacks: Mutex<Callbacks>,
    /// Cells of which the delegate is being told that they are gone.
    pub(super) closing: AtomicUsize,
    pub(super) closed: Notify,
    /// What was seen of the log, where it is followed.
    pub(super) sightings: Sightings,
    /// The tools of the last check: a checker knows those of one session by their place in memory.
    checked_tools: Mutex<Option<Arc<[ToolDescription]>>>,
    /// Tells of each cell that is gone, and is told whether it was there.
    pub(super) on_closed: Box<dyn Fn(&CellId) -> Close + Send + Sync>,
}

impl Channel {
    pub(super) fn open(
        owner: &Arc<Owner>,
        delegate: &Arc<DelegateSlot>,
        names: Option<Names>,
        grace: Duration,
        on_closed: Box<dyn Fn(&CellId) -> Close + Send + Sync>,
    ) -> Arc<Self> {
        owner.connection.register(|stream| {
            Arc::new(Self {
                stream,
                owner: Arc::clone(owner),
                delegate: Arc::clone(delegate),
                host_id: names.as_ref().map_or_else(OnceLock::new, |names| names.session_id.clone().into()),
                names: names.map_or_else(OnceLock::new, OnceLock::from),
                grace,
                state: AtomicU8::new(0),
                is_released: AtomicBool::new(false),
                callbacks: Mutex::default(),
                closing: AtomicUsize::new(0),
                closed: Notify::new(),
                sightings: Sightings::default(),
                checked_tools: Mutex::default(),
                on_closed,
            })
        })
    }

    pub(super) fn owner(&self) -> &Arc<Owner> {
        &self.owner
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.owner.connection
    }

    pub(super) fn state(&self) -> SessionState {
        match self.state.load(Ordering::SeqCst) {
            0 => SessionState::Open,
            1 => SessionState::ShuttingDown,
            _ => SessionState::Closed,
        }
    }

    /// Notes what the session is doing. It never goes back.
    pub(super) fn set_state(&self, state: SessionState) {
        let state = match state {
            SessionState::Open => 0,
            SessionState::ShuttingDown => 1,
            _ => 2,
        };
        self.state.fetch_max(state, Ordering::SeqCst);
    }

    /// Tells the host that nobody needs the session any more.
    pub(super) fn release(&self) {
        self.is_released.store(true, Ordering::SeqCst);
        self.push(&ToHost::Release);
    }

    pub(super) fn is_released(&self) -> bool {
        self.is_released.load(Ordering::SeqCst)
    }

    /// Returns the same tools, in the place of those of the last check where they are these.
    pub(super) fn shared_tools(&self, tools: Arc<[ToolDescription]>) -> Arc<[ToolDescription]> {
        let mut last = self.checked_tools.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| **last != *tools) {
            *last = Some(tools);
        }
        last.clone().unwrap_or_default()
    }

    /// Says something small.
    pub(super) fn push(&self, message: &ToHost) {
        self.connection().outbox.push(self.stream, encode(message));
    }

    /// Follows the log after a cursor of the host's.
    pub(super) fn follow(self: Arc<Self>, after: u64) -> Following {
        let feed = Arc::<Feed>::default();
        let request = self.connection().request(Pending::Log(Arc::clone(&feed)));
        self.push(&ToHost::Follow { request, after, room: ROOM });
        Following { channel: self, request, feed }
    }
}
