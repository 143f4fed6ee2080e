//! Keeps the sessions that outlive their process: founds them, brings them back, and sees that they have one owner.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use carrel_contract::error::{
    Corrupt, CreateError, DeleteError, ForkError, HistoryCut, InvalidRequest, OwnedElsewhere, ResumeError,
    StorageFailed, UnknownSession,
};
use carrel_contract::{CodeModeSessionDelegate, Notice, Seq, SessionId, SessionSpec, SessionState};
use carrel_engine::TimeZone;
use carrel_journal::error::{AcquireError, RenewError};
use carrel_journal::fork;
use carrel_journal::{Lease, Owner, Position, Record, Store, Tail};
use tokio::runtime::Handle;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::earlier::Earlier;
use crate::journal::{self, CellHistory, Extent, Journal, Recovered, Trouble, Trust};
use crate::number::CellNumber;
use crate::provider::time_zone;
use crate::seat::present::Presence;
use crate::shared::{Core, Past, Shared};
use crate::tasks::Kind;
use crate::tools::ToolTable;
use crate::travel::{self, Brought};

/// How long a session is this owner's without a word of it.
pub(crate) const LEASE_TIME: Duration = Duration::from_secs(30);
/// The same for one that sleeps while calls are under way: any number of them has to be spoken for.
pub(crate) const SLEEPING_LEASE_TIME: Duration = Duration::from_secs(600);

/// The store of a provider, and who the provider is to it.
pub(crate) struct Keeper {
    pub(crate) store: Arc<dyn Store>,
    owner: Owner,
}

/// A session, read from its journal.
pub(crate) struct Revived {
    pub(crate) core: Core,
    /// Its cells that have not ended.
    pub(crate) running: BTreeMap<CellNumber, CellHistory>,
    /// The last entry that was read.
    pub(crate) at: Position,
}

/// A session's lease, for as long as the session is here.
pub(crate) struct Ownership {
    store: Arc<dyn Store>,
    lease: Mutex<Lease>,
    /// Ends with the session: what it knows of it takes no memory any longer.
    renewing: OnceLock<AbortOnDropHandle<()>>,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn Store>, owner: Option<Owner>) -> Self {
        Self { store, owner: owner.unwrap_or_else(Owner::of_this_process) }
    }

    /// Makes a session whose making is written down.
    pub(crate) async fn found(
        &self,
        id: SessionId,
        mut spec: SessionSpec,
        time_zone: TimeZone,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        shared: Arc<Shared>,
    ) -> Result<Core, CreateError> {
        let now_us = shared.environment.now_us();
        let failed = |detail: String| CreateError::from(StorageFailed { session_id: id.clone(), detail });
        spec.seed.get_or_insert_with(|| shared.environment.random());
        let made = Record::SessionCreated { spec: journal::as_json(&spec), created_at_us: now_us };
        let tools = ToolTable::new(mem::take(&mut spec.tools), spec.dialect)?;
        let lease = self.acquire(&id, now_us).await.map_err(|error| failed(error.to_string()))?;
        let past = Past::none(&spec.limits, tools);
        let journal = Journal::new(
            Arc::clone(&self.store),
            Tail::start(id.clone()),
            Extent::default(),
            Handle::current(),
        );
        journal.append(made);
        journal.append(self.adopted(&lease, now_us));
        past.log.write_to(Arc::new(journal));
        let mut core = Core::new(id.clone(), spec, past, time_zone, delegate, shared);
        core.ownership = Some(self.ownership(lease));
        Ok(core)
    }

    /// Takes a session over that is kept.
    pub(crate) async fn take(&self, id: &SessionId, now_us: i64) -> Result<Lease, ResumeError> {
        let failed = |detail: String| ResumeError::from(StorageFailed { session_id: id.clone(), detail });
        // A session that never was gets no lease.
        let head = self.store.head(id).await.map_err(|error| failed(error.to_string()))?;
        if head.is_none_or(|head| head.last == Position::START) {
            return Err(UnknownSession { session_id: id.clone() }.into());
        }
        self.acquire(id, now_us).await.map_err(|error| match error {
            AcquireError::OwnedElsewhere { owner, .. } => {
                OwnedElsewhere { session_id: id.clone(), owner: owner.to_string() }.into()
            }
            AcquireError::Store(error) => failed(error.to_string()),
        })
    }

    /// Makes a session that was taken over of its journal.
    pub(crate) async fn revive(
        &self,
        id: SessionId,
        lease: Lease,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        shared: Arc<Shared>,
    ) -> Result<Revived, ResumeError> {
        let now_us = shared.environment.now_us();
        let ownership = self.ownership(lease.clone());
        let recovered = journal::recover(&self.store, &id, &shared.trust, now_us).await?;
        let Recovered { history, tail, extent } = recovered;
        let corrupt = |detail: String| ResumeError::from(Corrupt { session_id: id.clone(), detail });
        let time_zone =
            time_zone(&history.spec).map_err(|_| corrupt("its time zone is not known here".to_owned()))?;
        let mut past = history.past;
        let at = tail.position();
        let journal = Journal::new(Arc::clone(&self.store), tail, extent, Handle::current());
        journal.append(self.adopted(&lease, now_us));
        if let Some(left) = history.variables {
            match travel::bring(&shared, &self.store, &id, left, None).await? {
                Brought::Kept(variables) => past.variables = Some(variables),
                Brought::Again(variables) => {
                    let blob = journal.keep_snapshot(variables.to_bytes()).await?;
                    let signature = shared.trust.sign(blob);
                    let has_ended = |cell: &u64| !history.running.contains_key(&CellNumber(*cell));
                    let cell = (1..=past.newest.0).rev().find(has_ended).unwrap_or_default();
                    journal.append(Record::VariablesLeft { cell, blob, signature, names: None });
                    past.variables = Some(variables);
                }
                Brought::Lost { why } => {
                    let names: Vec<_> = history.names.into_iter().collect();
                    journal.append(Record::VariablesLost { names: names.clone(), why: why.clone() });
                    past.earlier = Earlier::default();
                    past.log.say_next(Notice::VariablesLost { names, why });
                }
            }
        }
        past.log.write_to(Arc::new(journal));
        let mut core = Core::new(id, history.spec, past, time_zone, delegate, shared);
        core.ownership = Some(ownership);
        Ok(Revived { core, running: history.running, at })
    }

    /// Reads a session that has left, to look at it: nothing of it goes on.
    pub(crate) async fn look(
        &self,
        id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        shared: Arc<Shared>,
    ) -> Result<Core, ResumeError> {
        let now_us = shared.environment.now_us();
        let recovered = journal::recover(&self.store, &id, &Trust::none(), now_us).await?;
        let journal::History { spec, past, .. } = recovered.history;
        let core = Core::new(id, spec, past, TimeZone::default(), delegate, shared);
        core.suspend();
        Ok(core)
    }

    /// Deletes what is kept of a session that nobody has.
    pub(crate) async fn delete(&self, id: &SessionId, now_us: i64) -> Result<bool, DeleteError> {
        let failed = |detail: String| DeleteError::from(StorageFailed { session_id: id.clone(), detail });
        let head = self.store.head(id).await.map_err(|error| failed(error.to_string()))?;
        if head.is_none() {
            return Ok(false);
        }
        let lease = self.acquire(id, now_us).await.map_err(|error| match error {
            AcquireError::OwnedElsewhere { owner, .. } => {
                OwnedElsewhere { session_id: id.clone(), owner: owner.to_string() }.into()
            }
            AcquireError::Store(error) => failed(error.to_string()),
        })?;
        let deleted = self.store.delete(id).await;
        if deleted.is_err() {
            self.release(id, &lease).await;
        }
        deleted.map_err(|error| failed(error.to_string()))
    }

    /// Makes a session of what another was at an event, or is now.
    pub(crate) async fn fork(
        &self,
        origin: &SessionId,
        at: Option<Seq>,
        to: &SessionId,
        now_us: i64,
    ) -> Result<(), ForkError> {
        let failed = |detail: String| ForkError::from(StorageFailed { session_id: to.clone(), detail });
        let head = self.store.head(origin).await.map_err(|error| failed(error.to_string()))?;
        if head.is_none() {
            return Err(UnknownSession { session_id: origin.clone() }.into());
        }
        let lease = self.acquire(to, now_us).await.map_err(|error| match error {
            AcquireError::OwnedElsewhere { owner, .. } => {
                OwnedElsewhere { session_id: to.clone(), owner: owner.to_string() }.into()
            }
            AcquireError::Store(error) => failed(error.to_string()),
        })?;
        let forked = fork::fork(&*self.store, origin, at, to, now_us).await;
        let released = self.store.release(to, &lease).await;
        forked.map_err(|error| not_forked(error, to))?;
        released.map_err(|error| failed(error.to_string()))
    }

    /// Keeps a session that sleeps while calls are under way.
    ///
    /// # Errors
    /// When another has it.
    pub(crate) async fn keep(&self, id: &SessionId, now_us: i64) -> Result<Lease, AcquireError> {
        self.store.acquire(id, &self.owner, SLEEPING_LEASE_TIME, now_us).await
    }

    /// Gives a session back that is not in memory. Whoever has taken it since keeps it.
    pub(crate) async fn release(&self, id: &SessionId, lease: &Lease) {
        // One that is not given back runs out.
        self.store.release(id, lease).await.ok();
    }

    async fn acquire(&self, id: &SessionId, now_us: i64) -> Result<Lease, AcquireError> {
        match self.store.acquire(id, &self.owner, LEASE_TIME, now_us).await {
            // A process of this machine that is gone needs no lease any more.
            Err(AcquireError::OwnedElsewhere { owner, until_us }) if owner.is_gone() => {
                self.store.acquire(id, &self.owner, LEASE_TIME, now_us.max(until_us)).await
            }
            other => other,
        }
    }

    fn adopted(&self, lease: &Lease, at_us: i64) -> Record {
        Record::Adopted { epoch: lease.epoch, owner: self.owner.to_string(), at_us }
    }

    fn ownership(&self, lease: Lease) -> Ownership {
        Ownership { store: Arc::clone(&self.store), lease: Mutex::new(lease), renewing: OnceLock::new() }
    }
}

/// Says why a session was not forked, in the contract's words.
fn not_forked(error: fork::ForkError, to: &SessionId) -> ForkError {
    let corrupt = |session_id: SessionId, detail: String| Corrupt { session_id, detail }.into();
    match error {
        fork::ForkError::NoSession { session } => UnknownSession { session_id: session }.into(),
        fork::ForkError::Beyond { at, last, .. } => {
            let problem = format!("is {at}; the session's log ends with {last}");
            InvalidRequest { field: "at", problem }.into()
        }
        fork::ForkError::Cut { session, first } => HistoryCut {
            session_id: session,
            asked: "an event".to_owned(),
            first: format!("entry {first} of its journal"),
        }
        .into(),
        fork::ForkError::Damaged(damaged) => corrupt(damaged.session.clone(), damaged.to_string()),
        fork::ForkError::NoBlob { session, hash } => {
            corrupt(session, format!("its blob {hash} is not there"))
        }
        other => StorageFailed { session_id: to.clone(), detail: other.to_string() }.into(),
    }
}

impl Ownership {
    pub(crate) fn lease(&self) -> Lease {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Has the lease of a session renewed for as long as the session is here.
pub(crate) fn hold(core: &Arc<Core>) {
    let (Some(journal), Some(ownership)) = (core.log.journal(), &core.ownership) else { return };
    let renew = renew(Arc::downgrade(core));
    ownership.renewing.get_or_init(|| core.outside.tasks.spawn_held_on(Kind::Lease, &journal.runtime, renew));
}

async fn renew(held: Weak<Core>) {
    loop {
        sleep(LEASE_TIME / 3).await;
        let Some(core) = held.upgrade() else { return };
        let Some(ownership) = &core.ownership else { return };
        if core.admission.state() == SessionState::Closed {
            return;
        }
        let now_us = core.now_us();
        match ownership.store.renew(&core.id, &ownership.lease(), LEASE_TIME, now_us).await {
            Ok(lease) => *ownership.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease,
            Err(RenewError::Lost { .. }) => {
                let owner = "another process, which took it over,".to_owned();
                let trouble = Trouble::Owner(OwnedElsewhere { session_id: core.id.clone(), owner });
                if let Some(journal) = core.log.journal() {
                    journal.fail(trouble.clone());
                }
                core.give_up(&trouble);
                return;
            }
            // The journal itself finds out whether the store is well; a lease that was not renewed runs on for a while.
            Err(RenewError::Store(error)) => {
                tracing::warn!(session = %core.id, %error, "the lease was not renewed");
            }
        }
    }
}

/// Gives a session back that nobody holds any more, once all of it is written down.
pub(crate) fn give_back(core: &Arc<Core>, presence: Arc<Presence>) {
    let Some(journal) = core.log.journal() else { return };
    let left = Arc::clone(core);
    core.outside.tasks.spawn_on(Kind::Lease, &journal.runtime, async move {
        let core = left;
        core.admission.empty().await;
        put_down(&core, false).await;
        drop(presence);
    });
}

/// Sees that all of a session is written down in which no cell runs any more, and gives its lease back, unless that is kept.
/// Returns the last entry of its journal, unless that failed.
pub(crate) async fn put_down(core: &Arc<Core>, keeps_lease: bool) -> Option<Position> {
    core.settled().await.ok();
    if let Some(journal) = core.log.journal() {
        // Whoever has the session next reads and writes on; nothing may come in between.
        journal.stays_as_it_is().await;
    }
    let settled = core.settled().await;
    if let (Some(ownership), false) = (&core.ownership, keeps_lease) {
        ownership.store.release(&core.id, &ownership.lease()).await.ok();
    }
    settled.ok().and_then(|()| core.log.journal()).map(|journal| journal.position())
}
