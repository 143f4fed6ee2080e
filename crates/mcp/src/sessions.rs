//! The sessions that are at hand: opened by their handle, kept while they are used or while a cell of theirs runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use carrel_contract::error::ResumeError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeSession, CodeModeSessionProvider, EventKind, Seq, SessionId,
    SessionSpec, SessionState, StreamItem, ToolDescription, WaitRequest,
};
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::approvals::Attendant;
use crate::face::{Owner, Owners};
use crate::presence::Presence;
use crate::refusal::Refusal;
use crate::supply::Supply;

/// Sessions that are kept at hand although nothing of them runs. One more, and the one that was used least recently is
/// let go; it is opened again when it is named.
const AT_HAND: usize = 256;

/// The sessions of a face.
pub(crate) struct Sessions {
    provider: Arc<dyn CodeModeSessionProvider>,
    owners: Owners,
    spec: SessionSpec,
    tools: watch::Receiver<Arc<[ToolDescription]>>,
    supply: Arc<Supply>,
    held: Mutex<Held>,
    /// Opening is done by one at a time, so that a session that two ask for is opened once.
    opening: tokio::sync::Mutex<()>,
    /// Those who keep a session because a cell of its runs.
    keepers: TaskTracker,
    presence: Presence,
    closed: CancellationToken,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<SessionId, Arc<Session>>,
    /// Counts uses, to know which was used last.
    uses: u64,
}

/// A session at hand.
pub(crate) struct Session {
    pub(crate) session: Arc<dyn CodeModeSession>,
    owner: Arc<dyn Owner>,
    state: Mutex<State>,
}

struct State {
    used: u64,
    /// The tools that it has.
    tools: Option<Arc<[ToolDescription]>>,
    /// Events up to here were shown to somebody.
    seen: Seq,
    /// The cells that it is kept for.
    kept_for: HashSet<CellId>,
}

impl Session {
    /// Returns the last event that was shown to somebody.
    pub(crate) fn seen(&self) -> Seq {
        lock(&self.state).seen
    }

    /// Takes note that events up to `seq` were shown.
    pub(crate) fn saw(&self, seq: Seq) {
        let mut state = lock(&self.state);
        state.seen = state.seen.max(seq);
    }

    /// Waits until a cell has ended, without reading anything of it. Cancel safe.
    async fn ended(&self, cell: &CellId) {
        let mut events = self.session.events(self.seen());
        // Its end may be among what was seen.
        if !self.runs(cell).await {
            return;
        }
        while let Some(item) = events.next().await {
            let ended = match item {
                StreamItem::Event(event) => {
                    event.cell_id == *cell
                        && matches!(
                            event.kind,
                            EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. }
                        )
                }
                // Its end may be among what was missed.
                StreamItem::Missed { .. } => !self.runs(cell).await,
            };
            if ended {
                return;
            }
        }
    }

    /// Tells whether a cell runs. One that nothing is known of does not.
    async fn runs(&self, cell: &CellId) -> bool {
        let look = WaitRequest::new([cell.clone()]).with_yield_time(Duration::ZERO).with_max_output_tokens(0);
        let response = self.session.wait(look.looking()).await;
        response.is_ok_and(|response| response.cells.iter().any(|cell| !cell.is_final()))
    }
}

impl Sessions {
    pub(crate) fn new(
        provider: Arc<dyn CodeModeSessionProvider>,
        owners: Owners,
        spec: SessionSpec,
        tools: watch::Receiver<Arc<[ToolDescription]>>,
        supply: Arc<Supply>,
    ) -> Self {
        Self {
            provider,
            owners,
            spec,
            tools,
            supply,
            held: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            keepers: TaskTracker::new(),
            presence: Presence::default(),
            closed: CancellationToken::new(),
        }
    }

    /// Makes a session.
    pub(crate) async fn make(&self) -> Result<Arc<Session>, Refusal> {
        let tools = Arc::clone(&self.tools.borrow());
        let mut spec = self.spec.clone();
        spec.tools = tools.to_vec();
        let owner = (self.owners)(&tools);
        let session = self.provider.create(spec, owner.delegate()).await;
        let session = session.map_err(|error| Refusal::failed(&error))?;
        Ok(self.hold(session, owner, Some(tools)))
    }

    /// Opens the session that a handle names, with the tools as they are now. One that is not at hand waits for the servers
    /// behind them, until then at most.
    pub(crate) async fn named(&self, handle: &str, until: Instant) -> Result<Arc<Session>, Refusal> {
        let id = SessionId::new(handle).map_err(|error| {
            Refusal::new(format!("failed to {error}")).advise("pass a `session_id` that `exec` returned")
        })?;
        let session = match self.known(&id) {
            Some(session) => session,
            None => {
                // What was under way goes on at once, through the tools.
                self.supply.ready(until).await?;
                self.open(id).await?
            }
        };
        self.refresh(&session).await?;
        Ok(session)
    }

    async fn open(&self, id: SessionId) -> Result<Arc<Session>, Refusal> {
        let _opening = self.opening.lock().await;
        match self.known(&id) {
            Some(session) => Ok(session),
            None => self.resume(id).await,
        }
    }

    async fn resume(&self, id: SessionId) -> Result<Arc<Session>, Refusal> {
        let tools = Arc::clone(&self.tools.borrow());
        let owner = (self.owners)(&tools);
        match self.provider.resume(id, owner.delegate()).await {
            Ok(session) => Ok(self.hold(session, owner, None)),
            Err(error @ ResumeError::UnknownSession(_)) => {
                Err(Refusal::failed(&error).advise("call `exec` without `session_id` to begin a new session"))
            }
            Err(error) => Err(Refusal::failed(&error)),
        }
    }

    /// Returns how long the outcome of a cell is kept.
    pub(crate) fn outcome_age(&self) -> Duration {
        self.spec.limits.outcome_age
    }

    /// Keeps a session until a cell of its has ended, whoever lets it go meanwhile.
    pub(crate) fn keep_until_ended(&self, session: &Arc<Session>, cell: &CellId) {
        if !lock(&session.state).kept_for.insert(cell.clone()) {
            return;
        }
        let (session, cell, closed) = (Arc::clone(session), cell.clone(), self.closed.clone());
        self.keepers.spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                () = session.ended(&cell) => {}
            }
            lock(&session.state).kept_for.remove(&cell);
        });
    }

    /// Counts a person as there for so long.
    pub(crate) fn keep_person(&self, person: Box<dyn Attendant>, time: Duration) {
        if let Some(kept) = self.presence.keep(person, time, self.closed.clone()) {
            self.keepers.spawn(kept);
        }
    }

    /// Lets go of all sessions. What runs in a journaled one goes on when it is opened again.
    pub(crate) async fn close(&self) {
        self.closed.cancel();
        self.keepers.close();
        self.keepers.wait().await;
        lock(&self.held).sessions.clear();
    }

    fn known(&self, id: &SessionId) -> Option<Arc<Session>> {
        let mut held = lock(&self.held);
        held.uses += 1;
        let uses = held.uses;
        let session = held.sessions.get(id)?;
        if session.session.state() != SessionState::Open {
            held.sessions.remove(id);
            return None;
        }
        lock(&session.state).used = uses;
        Some(Arc::clone(session))
    }

    fn hold(
        &self,
        session: Arc<dyn CodeModeSession>,
        owner: Arc<dyn Owner>,
        tools: Option<Arc<[ToolDescription]>>,
    ) -> Arc<Session> {
        let mut held = lock(&self.held);
        held.uses += 1;
        let state = Mutex::new(State { used: held.uses, tools, seen: Seq::START, kept_for: HashSet::new() });
        let session = Arc::new(Session { session, owner, state });
        held.sessions.insert(session.session.id().clone(), Arc::clone(&session));
        if held.sessions.len() > AT_HAND {
            let least = held.sessions.iter().min_by_key(|(_, session)| lock(&session.state).used);
            if let Some(id) = least.map(|(id, _)| id.clone()) {
                held.sessions.remove(&id);
            }
        }
        session
    }

    /// Gives a session the newest tools, when it has others.
    async fn refresh(&self, session: &Session) -> Result<(), Refusal> {
        let tools = Arc::clone(&self.tools.borrow());
        let known = lock(&session.state).tools.as_ref().is_some_and(|known| Arc::ptr_eq(known, &tools));
        if !known {
            session.owner.set_tools(&tools);
            session.session.set_tools(tools.to_vec()).await.map_err(|error| Refusal::failed(&error))?;
            lock(&session.state).tools = Some(tools);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
