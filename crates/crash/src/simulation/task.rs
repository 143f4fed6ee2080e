//! What one session is to do, and what whoever has it done was told of it, in whatever process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use carrel_contract::error::{CreateError, ExecuteError, ForkError, ResumeError, SetToolsError, WaitError};
use carrel_contract::{
    CellId, CellResponse, CodeModeSession, CodeModeSessionProvider, Durability, Event, EventKind,
    ExecuteRequest, ForkRequest, IdempotencyKey, Seq, SessionId, SessionMode, SessionSpec, StreamItem,
    TerminationReason, WaitRequest,
};
use carrel_runtime::InProcessProvider;
use futures::StreamExt;
use tokio::time::{sleep, timeout};

use super::program::Program;
use super::random::Random;
use super::tools::{Tools, descriptions};

/// A session: made, or forked off another, it does the same.
pub(super) struct Task {
    pub(super) mode: SessionMode,
    pub(super) programs: Arc<[Program]>,
    pub(super) fork: Option<Fork>,
    pub(super) told: Mutex<Told>,
}

/// How a session comes of another.
pub(super) struct Fork {
    pub(super) of: Arc<Task>,
    /// How long a process has lived that forks it.
    pub(super) after: Duration,
    pub(super) random: Mutex<Random>,
}

/// What was acknowledged.
#[derive(Default)]
pub(super) struct Told {
    pub(super) session: Option<SessionId>,
    pub(super) admitted: usize,
    /// What each cell printed.
    pub(super) outcomes: BTreeMap<usize, String>,
    pub(super) events: BTreeMap<Seq, Event>,
    /// The last event that a fork has of its origin.
    pub(super) forked_at: Seq,
}

/// How it ended.
pub(super) enum End {
    Done,
    /// The store failed: the process gives up.
    Failed,
    /// The session is another's.
    Owner,
    /// Something is not as it must be.
    Wrong(String),
}

macro_rules! gives_up {
    ($($error:ident),+) => {
        $(impl From<$error> for End {
            fn from(error: $error) -> Self {
                match error {
                    $error::StorageFailed(_) => Self::Failed,
                    $error::OwnedElsewhere(_) => Self::Owner,
                    other => Self::Wrong(format!("{other:?}")),
                }
            }
        })+
    };
}
gives_up!(ResumeError, ExecuteError, ForkError, SetToolsError, WaitError);

impl From<CreateError> for End {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::StorageFailed(_) => Self::Failed,
            other => Self::Wrong(format!("{other:?}")),
        }
    }
}

fn wrong(what: impl std::fmt::Display) -> End {
    End::Wrong(what.to_string())
}

/// How long one waits that finds a session another's: the lease of a process that died has to run out.
const PATIENCE: Duration = Duration::from_secs(7);
/// How long it is listened for something to happen; then somebody looks whether it still can.
const LISTENING_TIME: Duration = Duration::from_secs(60);

/// One session, in a process.
pub(super) struct Work<'a> {
    pub(super) task: &'a Task,
    pub(super) provider: &'a InProcessProvider,
    pub(super) tools: &'a Arc<Tools>,
}

impl Task {
    pub(super) fn told<T>(&self, with: impl FnOnce(&mut Told) -> T) -> T {
        with(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of an event, which is the same for everybody.
    fn saw(&self, event: &Event) -> Result<(), End> {
        let before = self.told(|told| told.events.insert(event.seq, event.clone()));
        match before.filter(|before| before != event) {
            Some(before) => Err(wrong(format!("event {before:?} has become {event:?}"))),
            None => Ok(()),
        }
    }
}

impl Told {
    /// Returns the last event that somebody has seen.
    fn last(&self) -> Seq {
        self.events.last_key_value().map_or(Seq::START, |(seq, _)| *seq)
    }

    /// Makes a fork of it, at an event.
    fn forked(&self, session: SessionId, at: Seq) -> Self {
        let events: BTreeMap<_, _> =
            self.events.range(..=at).map(|(seq, event)| (*seq, event.clone())).collect();
        let admitted = events.values().filter(|event| matches!(event.kind, EventKind::CellAdmitted)).count();
        Self { session: Some(session), admitted, outcomes: BTreeMap::new(), events, forked_at: at }
    }

    /// Returns the cells that had ended when it was forked.
    pub(super) fn ended_before(&self) -> impl Iterator<Item = usize> {
        let place = |event: &Event| event.cell_id.as_str().strip_prefix("cell-")?.parse::<usize>().ok();
        let ended = self.events.range(..=self.forked_at).filter(|(_, event)| is_end(&event.kind));
        ended.filter_map(move |(_, event)| Some(place(event)? - 1))
    }
}

fn is_end(kind: &EventKind) -> bool {
    matches!(kind, EventKind::CellCompleted { .. } | EventKind::CellTerminated { .. })
}

impl Work<'_> {
    /// Does it, again and again while others have the session in between.
    pub(super) async fn go(&self) -> Result<(), End> {
        loop {
            match self.attempt().await {
                Err(End::Owner) => sleep(PATIENCE).await,
                other => return other,
            }
        }
    }

    async fn attempt(&self) -> Result<(), End> {
        let session = self.find().await?;
        let mut cells = Vec::new();
        for (place, program) in self.task.programs.iter().enumerate() {
            cells.push(self.admit(&session, place, program).await?);
        }
        for (place, cell) in cells.iter().enumerate() {
            let printed = match self.ended(&session, cell).await? {
                CellResponse::Completed(done) if done.error.is_none() => CellResponse::Completed(done).text(),
                CellResponse::Terminated(it)
                    if matches!(it.reason, TerminationReason::StorageFailed { .. }) =>
                {
                    self.is_ours(&session).await?;
                    return Err(End::Failed);
                }
                other => return Err(wrong(format!("{cell} came to {other:?}"))),
            };
            let before = self.task.told(|told| told.outcomes.insert(place, printed.clone()));
            if before.is_some_and(|before| before != printed) {
                return Err(wrong(format!("{cell} had another outcome when it was read before: {printed}")));
            }
        }
        let mut events = session.events(Seq::START);
        let mut has_events = false;
        // All have ended: what comes no more within a while does not come.
        while let Ok(Some(item)) = timeout(Duration::from_secs(5), events.next()).await {
            has_events = true;
            if let StreamItem::Event(event) = item {
                self.task.saw(&event)?;
            }
        }
        if !has_events {
            // A stream says nothing of why it ends: of a store that failed, or else that comes out in the last life.
            self.is_ours(&session).await?;
            return Err(End::Failed);
        }
        Ok(())
    }

    /// Makes the session, or brings it back.
    async fn find(&self) -> Result<Arc<dyn CodeModeSession>, End> {
        let id = match (self.task.told(|told| told.session.clone()), &self.task.fork) {
            (Some(id), _) => id,
            (None, Some(fork)) => self.fork(fork).await?,
            (None, None) => {
                let mut spec = SessionSpec::default();
                spec.mode = self.task.mode;
                spec.durability = Durability::Journaled;
                spec.tools = descriptions();
                let session = self.provider.create(spec, self.tools.clone()).await?;
                // Another process may have made it meanwhile: then that is the one.
                let id = self.task.told(|told| told.session.get_or_insert(session.id().clone()).clone());
                if id == *session.id() {
                    return Ok(session);
                }
                id
            }
        };
        Ok(self.provider.resume(id, self.tools.clone()).await?)
    }

    /// Forks the session off another, at any event that somebody has seen of it, or as it is now.
    async fn fork(&self, fork: &Fork) -> Result<SessionId, End> {
        sleep(fork.after).await;
        let (of, last) = loop {
            let seen = fork.of.told(|told| Some((told.session.clone()?, told.last())));
            match seen {
                Some(seen) => break seen,
                None => sleep(PATIENCE).await,
            }
        };
        let (at, is_now) = {
            let mut random = fork.random.lock().unwrap_or_else(PoisonError::into_inner);
            (Seq(random.below(last.0 + 1)), random.once_in(4))
        };
        let now = ForkRequest::new(of);
        let at_event = if is_now { None } else { Some(self.provider.fork(now.clone().at(at)).await) };
        let forked = match at_event {
            None | Some(Err(ForkError::HistoryCut(_))) => None,
            Some(forked) => Some(forked?),
        };
        let (id, seen) = match forked {
            Some(id) => (id, at),
            None => {
                let seen = fork.of.told(|told| told.last());
                (self.provider.fork(now).await?, seen)
            }
        };
        let made = fork.of.told(|origin| origin.forked(id.clone(), seen));
        // Another process may have made one meanwhile: then that is the one.
        Ok(self.task.told(|told| {
            if told.session.is_none() {
                *told = made;
            }
            told.session.clone().unwrap_or(id)
        }))
    }

    /// Admits a cell, unless it is there.
    async fn admit(
        &self,
        session: &Arc<dyn CodeModeSession>,
        place: usize,
        program: &Program,
    ) -> Result<CellId, End> {
        let cell = CellId::new(&format!("cell-{}", place + 1)).map_err(wrong)?;
        if self.task.told(|told| told.admitted) > place && !self.has(session, &cell).await? {
            // Whoever does not know yet that the session is another's has not heard of what that one did.
            self.is_ours(session).await?;
            if !self.has(session, &cell).await? {
                return Err(wrong(format!("{cell} was acknowledged and is lost")));
            }
        }
        // Another process may be about to do the same.
        let key = IdempotencyKey::new(&format!("place-{place}")).map_err(wrong)?;
        let request = ExecuteRequest::new(program.source.as_str()).with_idempotency_key(key);
        let started = session.execute(request).await?;
        if started.cell_id != cell {
            return Err(wrong(format!("{} was admitted in the place of {cell}", started.cell_id)));
        }
        self.task.told(|told| told.admitted = told.admitted.max(place + 1));
        Ok(cell)
    }

    async fn has(&self, session: &Arc<dyn CodeModeSession>, cell: &CellId) -> Result<bool, End> {
        let look = WaitRequest::new([cell.clone()]).after(Seq::START).with_yield_time(Duration::ZERO);
        match session.wait(look).await {
            Ok(_) => Ok(true),
            Err(WaitError::UnknownCell(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes something, which only the session's owner can.
    async fn is_ours(&self, session: &Arc<dyn CodeModeSession>) -> Result<(), End> {
        Ok(session.set_tools(descriptions()).await?)
    }

    /// Waits for the end of a cell without using its session, which may sleep meanwhile, and reads all of it.
    async fn ended(&self, session: &Arc<dyn CodeModeSession>, cell: &CellId) -> Result<CellResponse, End> {
        let mut events = session.events(Seq::START);
        while let Ok(Some(item)) = timeout(LISTENING_TIME, events.next()).await {
            let StreamItem::Event(event) = item else { continue };
            self.task.saw(&event)?;
            if is_end(&event.kind) && event.cell_id == *cell {
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
}
