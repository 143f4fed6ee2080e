//! Makes sessions in this process.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use carrel_contract::error::{
    CreateError, DeleteError, EngineFailure, InvalidSpec, ListError, ResumeError, SessionClosed,
    UnknownSession, Unsupported,
};
use carrel_contract::{
    CellChecker, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider,
    Durability, SessionId, SessionSpec, SessionState,
};
use carrel_engine::{Engine, EngineOptions, TimeZone, VmLimits};

use crate::environment::{Environment, SystemEnvironment};
use crate::guest::{Lane, Ticker};
use crate::session::Session;
use crate::shared::{Core, Shared};
use crate::tools::ToolTable;

/// How an in-process provider is made.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How its engine is made.
    pub engine: EngineOptions,
    /// Threads for CPU-bound cells: by default as many as the machine has processors.
    pub guest_threads: Option<NonZeroUsize>,
    /// Where time and randomness come from.
    pub environment: Arc<dyn Environment>,
    /// What checks the cells of sessions that ask for it; without one they run unchecked and say so.
    pub checker: Option<Arc<dyn CellChecker>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: EngineOptions::default(),
            guest_threads: None,
            environment: Arc::new(SystemEnvironment),
            checker: None,
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

/// Makes ephemeral sessions that live in this process, for as long as somebody holds them.
pub struct InProcessProvider {
    shared: Arc<Shared>,
    max_memory_bytes: usize,
    sessions: Mutex<BTreeMap<SessionId, Weak<Session>>>,
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
        let ticker = Arc::new(Ticker::start(engine.clone()).map_err(no_thread)?);
        let lane = Lane::start(threads, &ticker).map_err(no_thread)?;
        let max_memory_bytes = options.engine.max_memory_bytes;
        let max_vms = options.engine.max_vms;
        let shared = Shared {
            engine,
            max_vms,
            environment: options.environment,
            checker: options.checker,
            lane,
            ticker,
            parties: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared), max_memory_bytes, sessions: Mutex::default() })
    }

    pub(crate) fn make(
        &self,
        mut spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> Result<Arc<Session>, CreateError> {
        check(&spec, self.max_memory_bytes)?;
        let tools = ToolTable::new(mem::take(&mut spec.tools))?;
        let time_zone = time_zone(&spec)?;
        let name = format!("session-{:016x}", self.shared.environment.random());
        let id = SessionId::new(&name).map_err(|e| EngineFailure { detail: e.to_string() })?;
        let core = Core::new(id.clone(), spec, tools, time_zone, delegate, Arc::clone(&self.shared));
        let session = Arc::new(Session::new(core));
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.strong_count() > 0);
        sessions.insert(id, Arc::downgrade(&session));
        Ok(session)
    }

    fn find(&self, session_id: &SessionId) -> Result<Arc<Session>, UnknownSession> {
        self.sessions()
            .get(session_id)
            .and_then(Weak::upgrade)
            .ok_or_else(|| UnknownSession { session_id: session_id.clone() })
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<SessionId, Weak<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CodeModeSessionProvider for InProcessProvider {
    fn create(
        &self,
        spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, CreateError> {
        Box::pin(async move { self.make(spec, delegate).map(|session| session as Arc<dyn CodeModeSession>) })
    }

    fn resume(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, ResumeError> {
        Box::pin(async move {
            let session = self.find(&session_id)?;
            if session.state() != SessionState::Open {
                return Err(SessionClosed { session_id }.into());
            }
            session.adopt(delegate);
            Ok(session as Arc<dyn CodeModeSession>)
        })
    }

    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError> {
        Box::pin(async move {
            let sessions = self.sessions();
            Ok(sessions
                .iter()
                .filter(|(_, session)| session.strong_count() > 0)
                .map(|(id, _)| id.clone())
                .collect())
        })
    }

    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError> {
        Box::pin(async move {
            let session = self.find(&session_id)?;
            self.sessions().remove(&session_id);
            // Cannot fail in this process.
            drop(session.shutdown().await);
            Ok(())
        })
    }
}

impl fmt::Debug for InProcessProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessProvider").field("engine", &self.shared.engine).finish_non_exhaustive()
    }
}

fn check(spec: &SessionSpec, max_memory_bytes: usize) -> Result<(), CreateError> {
    if spec.durability == Durability::Journaled {
        return Err(Unsupported { field: "durability", value: "journaled", offered: "ephemeral" }.into());
    }
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
fn time_zone(spec: &SessionSpec) -> Result<TimeZone, InvalidSpec> {
    let Some(name) = &spec.time_zone else { return Ok(TimeZone::default()) };
    name.parse().map_err(|_| InvalidSpec {
        field: "time_zone",
        problem: format!(
            "is {name:?}; it takes a name of the IANA time zone database, such as \"Europe/Berlin\", or an offset, such as \"+05:30\""
        ),
    })
}
