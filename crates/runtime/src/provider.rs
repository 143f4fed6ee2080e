//! Makes sessions in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use carrel_contract::error::{
    CreateError, DeleteError, EngineFailure, ForkError, InvalidSpec, ListError, ResumeError, SessionClosed,
    UnknownSession, Unsupported,
};
use carrel_contract::{
    CellChecker, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider,
    Durability, ForkRequest, SessionId, SessionName, SessionSpec, SessionState,
};
use carrel_engine::{Engine, EngineOptions, TimeZone, VmLimits};
use carrel_journal::{Owner, SnapshotKey, Store};

use crate::environment::{Environment, SystemEnvironment};
use crate::guest::{Lane, Ticker};
use crate::journal::{Folding, Trust};
use crate::keeper::Keeper;
use crate::seat::alarm::Alarm;
use crate::seat::crowd::{Crowd, Hibernation};
use crate::seat::present::Presence;
use crate::session::Session;
use crate::shared::{Core, Past, Shared};
use crate::tools::ToolTable;
use crate::travel::{Recording, RecordingError};

/// How many sessions a store is asked for at once.
const LISTED_AT_ONCE: usize = 1000;

/// How an in-process provider is made.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How its engine is made. With a `turn_time` there are no threads: cells run where they are polled, never preempted.
    pub engine: EngineOptions,
    /// Threads for CPU-bound cells: by default as many as the machine has processors.
    pub guest_threads: Option<NonZeroUsize>,
    /// Where time and randomness come from.
    pub environment: Arc<dyn Environment>,
    /// What checks the cells of sessions that ask for it; without one they run unchecked and say so.
    pub checker: Option<Arc<dyn CellChecker>>,
    /// Where journaled sessions are kept; without it, there are none.
    pub store: Option<Arc<dyn Store>>,
    /// Who this provider is to the store, and to no other at the same time; unless said, an owner that others on this
    /// machine know to be gone when its process is.
    pub owner: Option<Owner>,
    /// What snapshots of cells and of variables are signed with. Then one that is not signed with it is not used: what it is
    /// of is computed again from the journal, or said to be lost. Without a key, whoever may write to the store is trusted
    /// with the memory of VMs.
    pub snapshot_key: Option<SnapshotKey>,
    /// When the journals of sessions are folded, and what is left of them.
    pub folding: Folding,
    /// When journaled sessions that are not used leave memory.
    pub hibernation: Hibernation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: EngineOptions::default(),
            guest_threads: None,
            environment: Arc::new(SystemEnvironment),
            checker: None,
            store: None,
            owner: None,
            snapshot_key: None,
            folding: Folding::default(),
            hibernation: Hibernation::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("engine", &self.engine)
            .field("guest_threads", &self.guest_threads)
            .finish_non_exhaustive()
    }
}

/// Makes sessions that live in this process: for as long as somebody holds them, or, journaled, as long as nobody deletes
/// them.
///
/// A journaled session that nobody holds any more leaves the process; its cells go on where they were when it is resumed,
/// here or in another process.
pub struct InProcessProvider {
    shared: Arc<Shared>,
    keeper: Option<Arc<Keeper>>,
    max_memory_bytes: usize,
    sessions: Mutex<Sessions>,
}

/// The sessions that somebody holds, and some that nobody does any more.
#[derive(Default)]
struct Sessions {
    by_id: BTreeMap<SessionId, Weak<Session>>,
    /// With so many it is time to see which those are.
    look_at: usize,
}

impl InProcessProvider {
    /// Loads the engine and starts its threads.
    ///
    /// # Errors
    /// When the processor, the address space or the number of threads is not enough.
    pub fn new(options: Options) -> Result<Self, EngineFailure> {
        let engine = Engine::new(options.engine).map_err(|e| EngineFailure { detail: e.to_string() })?;
        let threads = options
            .guest_threads
            .or_else(|| thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN);
        let no_thread = |e: std::io::Error| EngineFailure { detail: format!("a thread does not start: {e}") };
        let (ticker, lane) = if options.engine.turn_time.is_some() {
            let ticker = Arc::new(Ticker::still());
            let lane = Lane::inline(&ticker);
            (ticker, lane)
        } else {
            let ticker = Arc::new(Ticker::start(engine.clone()).map_err(no_thread)?);
            let lane = Lane::start(threads, &ticker).map_err(no_thread)?;
            (ticker, lane)
        };
        let max_memory_bytes = options.engine.max_memory_bytes;
        let max_vms = options.engine.max_vms;
        let shared = Shared {
            trust: Trust::new(&engine, options.snapshot_key),
            engine,
            max_vms,
            environment: options.environment,
            checker: options.checker,
            folding: options.folding,
            crowd: Arc::new(Crowd::new(options.hibernation)),
            alarm: Alarm::new(),
            lane,
            ticker,
            parties: AtomicU64::new(0),
            present: Arc::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            keeper: options.store.map(|store| Arc::new(Keeper::new(store, options.owner))),
            max_memory_bytes,
            sessions: Mutex::default(),
        })
    }

    pub(crate) async fn make(
        &self,
        mut spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> Result<Arc<Session>, CreateError> {
        check(&spec, self.max_memory_bytes)?;
        let time_zone = time_zone(&spec)?;
        let id = self.draw_id(spec.name.as_ref())?;
        let shared = Arc::clone(&self.shared);
        let session = match (spec.durability, &self.keeper) {
            (Durability::Ephemeral, _) => {
                let tools = ToolTable::new(mem::take(&mut spec.tools), spec.dialect)?;
                let past = Past::none(&spec.limits, tools);
                let core = Core::new(id.clone(), spec, past, time_zone, Arc::clone(&delegate), shared);
                Session::new(core, None, delegate, None)
            }
            (Durability::Journaled, Some(keeper)) => {
                let Ok(presence) = shared.present.enter(&id) else {
                    return Err(EngineFailure { detail: format!("there is a session {id} already") }.into());
                };
                let session = {
                    let core =
                        keeper.found(id.clone(), spec, time_zone, Arc::clone(&delegate), shared).await?;
                    Session::new(core, Some(Arc::clone(keeper)), delegate, Some(presence))
                };
                session.settled().await?;
                session
            }
            (Durability::Journaled, None) => {
                let (field, value, offered) =
                    ("durability", "journaled", "ephemeral: this provider has no store");
                return Err(Unsupported { field, value, offered }.into());
            }
        };
        let session = Arc::new(session);
        self.remember(&session);
        Ok(session)
    }

    /// Reads what the journal has of a cell, to run it again without a tool being called. Its session is not taken over, and
    /// may be held by this process or another. Cancel safe.
    ///
    /// # Errors
    /// [`RecordingError`]: there is no such cell, nothing of it has run, its beginning was cut away, or it cannot be read.
    pub async fn recording(
        &self,
        session_id: &SessionId,
        cell_id: &CellId,
    ) -> Result<Recording, RecordingError> {
        let Some(keeper) = &self.keeper else {
            return Err(UnknownSession { session_id: session_id.clone() }.into());
        };
        let zone = |spec: &SessionSpec| time_zone(spec).ok();
        Recording::read(Arc::clone(&self.shared), &keeper.store, session_id, cell_id, zone).await
    }

    /// Returns how many journaled sessions are in memory; the others, however many are held, sleep.
    #[must_use]
    pub fn awake(&self) -> usize {
        self.shared.crowd.awake()
    }

    /// Waits until sessions that nobody holds any more are written down and another process may have them. Cancel safe.
    pub async fn settle(&self) {
        while let Some(going) = self.shared.present.going() {
            going.gone().await;
        }
    }

    /// Makes a session of what another was, under an id that [`draw_id`](Self::draw_id) gave: so whatever has to be there
    /// before anybody can find the new session can be done under that id. Otherwise as
    /// [`fork`](CodeModeSessionProvider::fork), of which the request's name is no part here.
    ///
    /// # Errors
    /// As `fork`.
    pub async fn fork_as(&self, request: ForkRequest, id: &SessionId) -> Result<(), ForkError> {
        if let Ok(origin) = self.find(&request.session_id) {
            if !origin.is_journaled() {
                let (field, value, offered) = ("durability", "ephemeral", "forks of journaled sessions");
                return Err(Unsupported { field, value, offered }.into());
            }
            // What cannot be written down any more is not part of it.
            origin.settled().await.ok();
        }
        let Some(keeper) = &self.keeper else {
            return Err(UnknownSession { session_id: request.session_id }.into());
        };
        keeper.fork(&request.session_id, request.at, id, self.shared.environment.now_us()).await
    }

    /// Draws the id of a new session; one with a name begins with that.
    ///
    /// # Errors
    /// Never, of a name that is valid.
    pub fn draw_id(&self, name: Option<&SessionName>) -> Result<SessionId, EngineFailure> {
        let drawn = self.shared.environment.random();
        let id = match name {
            Some(name) => name.id(drawn),
            None => SessionId::new(&format!("session-{drawn:016x}")),
        };
        id.map_err(|e| EngineFailure { detail: e.to_string() })
    }

    /// Brings a session back that is kept and not here.
    async fn revive(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        presence: Presence,
    ) -> Result<Arc<Session>, ResumeError> {
        let Some(keeper) = &self.keeper else { return Err(UnknownSession { session_id }.into()) };
        let shared = Arc::clone(&self.shared);
        let lease = keeper.take(&session_id, shared.environment.now_us()).await?;
        let revived = async {
            let (id, delegate_of_core) = (session_id.clone(), Arc::clone(&delegate));
            let revived = keeper.revive(id, lease.clone(), delegate_of_core, shared).await?;
            Ok::<_, ResumeError>(Arc::new(
                Session::revive(revived, Arc::clone(keeper), delegate, presence).await?,
            ))
        };
        let session = match revived.await {
            Ok(session) => session,
            Err(error) => {
                keeper.release(&session_id, &lease).await;
                return Err(error);
            }
        };
        // Whoever had it before can append nothing from here on.
        session.settled().await?;
        self.remember(&session);
        Ok(session)
    }

    fn remember(&self, session: &Arc<Session>) {
        let mut sessions = self.sessions();
        // Looked through when there are twice as many as there were: each costs the same, however many there are.
        if sessions.by_id.len() >= sessions.look_at {
            sessions.by_id.retain(|_, session| session.strong_count() > 0);
            sessions.look_at = 2 * sessions.by_id.len() + 16;
        }
        sessions.by_id.insert(session.id().clone(), Arc::downgrade(session));
        drop(sessions);
        self.shared.present.found(session.id());
    }

    fn find(&self, session_id: &SessionId) -> Result<Arc<Session>, UnknownSession> {
        self.sessions()
            .by_id
            .get(session_id)
            .and_then(Weak::upgrade)
            .ok_or_else(|| UnknownSession { session_id: session_id.clone() })
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CodeModeSessionProvider for InProcessProvider {
    fn create(
        &self,
        spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, CreateError> {
        Box::pin(async move { Ok(self.make(spec, delegate).await? as Arc<dyn CodeModeSession>) })
    }

    fn resume(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, ResumeError> {
        Box::pin(async move {
            loop {
                let place = self.shared.present.enter(&session_id);
                match self.find(&session_id) {
                    Ok(session) if session.state() == SessionState::Open => {
                        session.adopt(delegate);
                        return Ok(session as Arc<dyn CodeModeSession>);
                    }
                    Ok(session) if !session.is_journaled() => return Err(SessionClosed { session_id }.into()),
                    // It is over here, and goes once its cells have ended.
                    Ok(session) => session.leave(),
                    Err(_) => {}
                }
                match place {
                    Ok(presence) => {
                        let session = self.revive(session_id, delegate, presence).await?;
                        return Ok(session as Arc<dyn CodeModeSession>);
                    }
                    Err(taken) => taken.changed().await,
                }
            }
        })
    }

    fn fork(&self, request: ForkRequest) -> CodeModeFuture<'_, SessionId, ForkError> {
        Box::pin(async move {
            let id = self.draw_id(request.name.as_ref())?;
            self.fork_as(request, &id).await?;
            Ok(id)
        })
    }

    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError> {
        Box::pin(async move {
            let mut ids: BTreeSet<SessionId> = self
                .sessions()
                .by_id
                .iter()
                .filter(|(_, session)| session.strong_count() > 0)
                .map(|(id, _)| id.clone())
                .collect();
            if let Some(keeper) = &self.keeper {
                let mut last = None;
                loop {
                    let page = keeper.store.list(last.as_ref(), LISTED_AT_ONCE).await;
                    let page = page.map_err(|error| EngineFailure { detail: error.to_string() })?;
                    let Some(newest) = page.last() else { break };
                    last = Some(newest.clone());
                    ids.extend(page);
                }
            }
            Ok(ids.into_iter().collect())
        })
    }

    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError> {
        Box::pin(async move {
            let mut was_here = false;
            let _presence = loop {
                let place = self.shared.present.enter(&session_id);
                if let Ok(session) = self.find(&session_id)
                    && !session.is_left()
                {
                    // What cannot be written down is about to be deleted.
                    drop(session.shutdown().await);
                    session.leave();
                    was_here = true;
                }
                match place {
                    Ok(presence) => break presence,
                    Err(taken) => taken.changed().await,
                }
            };
            self.sessions().by_id.remove(&session_id);
            let now_us = self.shared.environment.now_us();
            let was_kept = match &self.keeper {
                Some(keeper) => keeper.delete(&session_id, now_us).await?,
                None => false,
            };
            if was_here || was_kept { Ok(()) } else { Err(UnknownSession { session_id }.into()) }
        })
    }
}

impl fmt::Debug for InProcessProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessProvider").field("engine", &self.shared.engine).finish_non_exhaustive()
    }
}

fn check(spec: &SessionSpec, max_memory_bytes: usize) -> Result<(), CreateError> {
    let limits = &spec.limits;
    let memory = VmLimits::MIN_MEMORY_BYTES..=max_memory_bytes;
    if !memory.contains(&limits.memory_bytes) {
        let problem =
            format!("is {}; this provider gives {} to {}", limits.memory_bytes, memory.start(), memory.end());
        return Err(InvalidSpec { field: "limits.memory_bytes", problem }.into());
    }
    let counts = [
        ("limits.source_bytes", limits.source_bytes),
        ("limits.pending_tool_calls", limits.pending_tool_calls),
        ("limits.running_cells", limits.running_cells),
        ("limits.kept_outcomes", limits.kept_outcomes),
        ("limits.kept_events", limits.kept_events),
    ];
    if let Some((field, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
        return Err(InvalidSpec { field, problem: "is 0; it must be at least 1".to_owned() }.into());
    }
    Ok(())
}

/// Returns the zone that a session asks for.
pub(crate) fn time_zone(spec: &SessionSpec) -> Result<TimeZone, InvalidSpec> {
    let Some(name) = &spec.time_zone else { return Ok(TimeZone::default()) };
    name.parse().map_err(|_| InvalidSpec {
        field: "time_zone",
        problem: format!(
            "is {name:?}; it takes a name of the IANA time zone database, such as \"Europe/Berlin\", or an offset, such as \"+05:30\""
        ),
    })
}
