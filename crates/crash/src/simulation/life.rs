//! One process, from its start to its death, or until all is done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carrel_contract::error::{CreateError, ExecuteError, ResumeError, WaitError};
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, Durability, EventKind, ExecuteRequest,
    Seq, SessionId, SessionMode, SessionSpec, StreamItem, WaitRequest,
};
use carrel_journal::{Owner, Store};
use carrel_runtime::{Environment, InProcessProvider, Options};
use futures::StreamExt;
use futures::future::try_join_all;
use tokio::time::{Instant, sleep, timeout};

use super::disk::Disk;
use super::program::Program;
use super::random::Random;
use super::tools::{Tools, descriptions};

/// What one session is to do, and what whoever had it done was told so far.
pub(super) struct Task {
    pub(super) mode: SessionMode,
    pub(super) programs: Vec<Program>,
    pub(super) told: Mutex<Told>,
}

/// What was acknowledged.
#[derive(Default)]
pub(super) struct Told {
    pub(super) session: Option<SessionId>,
    pub(super) admitted: usize,
    /// What each cell printed.
    pub(super) outcomes: BTreeMap<usize, String>,
    pub(super) events: Vec<String>,
}

/// How a life ended.
pub(super) enum End {
    Done,
    /// The store failed: the process gives up.
    Failed,
    /// Something is not as it must be.
    Wrong(String),
}

/// The clock of a process, and its randomness.
pub(super) struct Surroundings {
    pub(super) base_us: i64,
    pub(super) begun: Instant,
    pub(super) random: Mutex<Random>,
}

impl Environment for Surroundings {
    fn now_us(&self) -> i64 {
        self.base_us + i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(0)
    }

    fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

macro_rules! gives_up {
    ($($error:ident),+) => {
        $(impl From<$error> for End {
            fn from(error: $error) -> Self {
                match error {
                    $error::StorageFailed(_) => Self::Failed,
                    other => Self::Wrong(format!("{other:?}")),
                }
            }
        })+
    };
}
gives_up!(CreateError, ResumeError, ExecuteError, WaitError);

/// Lives on a disk.
pub(super) async fn live(
    disk: Arc<Disk>,
    surroundings: Surroundings,
    nth: usize,
    idle: Duration,
    tools: Tools,
    tasks: &[Task],
) -> End {
    let mut options = Options::default();
    options.engine.max_vms = 64;
    // Some turns on, and a VM is worth saving.
    options.engine.turn_time = Some(Duration::from_millis(7));
    options.store = Some(disk as Arc<dyn Store>);
    options.owner = Owner::new(&format!("life {nth}")).ok();
    options.environment = Arc::new(surroundings);
    options.hibernation.idle = idle;
    let provider = match InProcessProvider::new(options) {
        Ok(provider) => provider,
        Err(error) => return End::Wrong(error.to_string()),
    };
    let tools = Arc::new(tools);
    match try_join_all(tasks.iter().map(|task| task.work(&provider, &tools))).await {
        Ok(_) => End::Done,
        Err(end) => end,
    }
}

impl Task {
    fn told<T>(&self, with: impl FnOnce(&mut Told) -> T) -> T {
        with(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn work(&self, provider: &InProcessProvider, tools: &Arc<Tools>) -> Result<(), End> {
        let session = self.find(provider, tools).await?;
        let mut cells = Vec::new();
        for (place, program) in self.programs.iter().enumerate() {
            cells.push(self.admit(&session, place, program).await?);
        }
        for (place, cell) in cells.iter().enumerate() {
            let response = ended(&session, cell).await?;
            let printed = match &response {
                CellResponse::Completed(done) if done.error.is_none() => response.text(),
                CellResponse::Terminated(it)
                    if matches!(it.reason, carrel_contract::TerminationReason::StorageFailed { .. }) =>
                {
                    return Err(End::Failed);
                }
                other => return Err(End::Wrong(format!("{cell} came to {other:?}"))),
            };
            let before = self.told(|told| told.outcomes.insert(place, printed.clone()));
            if before.is_some_and(|before| before != printed) {
                return Err(End::Wrong(format!(
                    "{cell} had another outcome when it was read before: {printed}"
                )));
            }
        }
        let mut events = session.events(Seq::START);
        let mut seen = Vec::new();
        // All have ended: what comes no more within a while does not come.
        while let Ok(Some(item)) = timeout(Duration::from_secs(5), events.next()).await {
            seen.push(format!("{item:?}"));
        }
        if seen.is_empty() {
            // A stream says nothing of why it ends: of a store that failed, or else that comes out in the last life.
            return Err(End::Failed);
        }
        self.told(|told| told.events = seen);
        Ok(())
    }

    /// Makes the session, or brings it back.
    async fn find(
        &self,
        provider: &InProcessProvider,
        tools: &Arc<Tools>,
    ) -> Result<Arc<dyn CodeModeSession>, End> {
        let Some(id) = self.told(|told| told.session.clone()) else {
            let mut spec = SessionSpec::default();
            spec.mode = self.mode;
            spec.durability = Durability::Journaled;
            spec.tools = descriptions();
            let session = provider.create(spec, tools.clone()).await?;
            self.told(|told| told.session = Some(session.id().clone()));
            return Ok(session);
        };
        loop {
            match provider.resume(id.clone(), tools.clone()).await {
                // The lease of a process that died has to run out.
                Err(ResumeError::OwnedElsewhere(_)) => sleep(Duration::from_secs(7)).await,
                other => return Ok(other?),
            }
        }
    }

    /// Admits a cell, unless it is there.
    async fn admit(
        &self,
        session: &Arc<dyn CodeModeSession>,
        place: usize,
        program: &Program,
    ) -> Result<CellId, End> {
        let wrong = |what: String| End::Wrong(what);
        let cell = CellId::new(&format!("cell-{}", place + 1)).map_err(|error| wrong(error.to_string()))?;
        let look = WaitRequest::new([cell.clone()]).after(Seq::START).with_yield_time(Duration::ZERO);
        match session.wait(look).await {
            Ok(_) => {}
            Err(WaitError::UnknownCell(_)) if self.told(|told| told.admitted) <= place => {
                let started = session.execute(ExecuteRequest::new(program.source.as_str())).await?;
                if started.cell_id != cell {
                    return Err(wrong(format!("{} was admitted in the place of {cell}", started.cell_id)));
                }
            }
            Err(WaitError::UnknownCell(_)) => {
                return Err(wrong(format!("{cell} was acknowledged and is lost")));
            }
            Err(error) => return Err(error.into()),
        }
        self.told(|told| told.admitted = told.admitted.max(place + 1));
        Ok(cell)
    }
}

/// How long it is listened for something to happen; then somebody looks whether it still can.
const LISTENING_TIME: Duration = Duration::from_secs(60);

/// Waits for the end of a cell without using its session, which may sleep meanwhile, and reads all of it.
async fn ended(session: &Arc<dyn CodeModeSession>, cell: &CellId) -> Result<CellResponse, End> {
    let mut events = session.events(Seq::START);
    while let Ok(Some(StreamItem::Event(event))) = timeout(LISTENING_TIME, events.next()).await {
        let is_end = matches!(event.kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. });
        if is_end && event.cell_id == *cell {
            break;
        }
    }
    let mut after = Seq::START;
    loop {
        let request =
            WaitRequest::new([cell.clone()]).after(after).with_yield_time(Duration::from_secs(3600));
        let response = session.wait(request).await?.cells.remove(0);
        if response.is_final() && after == Seq::START {
            return Ok(response);
        }
        after = if response.is_final() { Seq::START } else { response.observation().cursor };
    }
}
