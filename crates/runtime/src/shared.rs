//! What the cells of a session share, and what the sessions of a provider share.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::{
    CellChecker, CodeModeSessionDelegate, Dialect, Limits, Seq, SessionId, SessionMode, SessionSpec,
    SessionState, TerminationReason,
};
use carrel_engine::{Engine, Snapshot, StoreQuota, StoredSize, TimeZone};
use carrel_journal::Record;
use futures::FutureExt;
use tokio::sync::Notify;

use crate::admission::Admission;
use crate::cell::Parked;
use crate::earlier::Earlier;
use crate::environment::Environment;
use crate::guest::{Lane, Party, Ticker};
use crate::journal::{self, Folding, Journal, Mark, Trouble, Trust};
use crate::keeper::Ownership;
use crate::log::SessionLog;
use crate::notebook::Notebook;
use crate::number::CellNumber;
use crate::seat::alarm::Alarm;
use crate::seat::crowd::{Awake, Crowd};
use crate::seat::outside::Outside;
use crate::seat::present::Present;
use crate::seat::rest::Rest;
use crate::stored::StoredTable;
use crate::tasks::Kind;
use crate::telemetry::SessionTelemetry;
use crate::tools::ToolTable;

/// What all sessions of a provider share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    /// Which snapshots its VMs may go on from.
    pub(crate) trust: Trust,
    pub(crate) max_vms: u32,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) checker: Option<Arc<dyn CellChecker>>,
    /// When journals are folded.
    pub(crate) folding: Folding,
    /// The journaled sessions in memory, and what is due in those that are not.
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) alarm: Arc<Alarm>,
    // The lane's threads hold the ticker, so it is declared, and dropped, first.
    pub(crate) lane: Lane,
    pub(crate) ticker: Arc<Ticker>,
    pub(crate) parties: AtomicU64,
    /// Sessions that nobody holds any more and that are still being written down: each until its sender is dropped.
    pub(crate) present: Arc<Present>,
}

/// What a session's cells share. Outlives the session's handle for as long as a cell runs.
pub(crate) struct Core {
    pub(crate) id: SessionId,
    pub(crate) limits: Limits,
    pub(crate) log: SessionLog,
    pub(crate) stored: StoredTable,
    /// What the cells of a persistent session leave each other.
    pub(crate) notebook: Option<Arc<Notebook>>,
    /// Its delegate, and what is under way there.
    pub(crate) outside: Arc<Outside>,
    pub(crate) shared: Arc<Shared>,
    /// Whose turns its VMs have in the lane.
    pub(crate) party: Party,
    pub(crate) admission: Admission,
    pub(crate) rest: Rest,
    /// What stays of its cells, as they leave because it goes to sleep.
    parked: Mutex<BTreeMap<CellNumber, Box<Parked>>>,
    tools: Mutex<Arc<ToolTable>>,
    /// Whether cells are to be checked before they run.
    pub(crate) check: bool,
    pub(crate) time_zone: TimeZone,
    pub(crate) dialect: Dialect,
    seeds: AtomicU64,
    pub(crate) telemetry: SessionTelemetry,
    /// That the session is this process's, where it is written down.
    pub(crate) ownership: Option<Ownership>,
    /// Told when its cells are at rest.
    pub(crate) rested: Option<Arc<Notify>>,
    /// That it is in memory, where it need not be.
    pub(crate) awake: Option<Awake>,
}

/// What a session has behind it when it is made: nothing, or all that its journal says.
pub(crate) struct Past {
    pub(crate) tools: Arc<ToolTable>,
    pub(crate) log: SessionLog,
    pub(crate) stored: StoredTable,
    pub(crate) newest: CellNumber,
    /// What the last cell of a persistent session left.
    pub(crate) variables: Option<Snapshot>,
    /// The cells that left them, where cells are checked.
    pub(crate) earlier: Earlier,
}

impl Past {
    /// Nothing but its tools.
    pub(crate) fn none(limits: &Limits, tools: ToolTable) -> Self {
        Self {
            tools: Arc::new(tools),
            log: SessionLog::new(limits.clone()),
            stored: StoredTable::new(StoreQuota {
                value_bytes: limits.stored_value_bytes,
                total: StoredSize { keys: limits.stored_keys, bytes: limits.stored_bytes },
            }),
            newest: CellNumber::default(),
            variables: None,
            earlier: Earlier::default(),
        }
    }
}

/// The step of the sequence of seeds.
const SEED_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Core {
    pub(crate) fn new(
        id: SessionId,
        spec: SessionSpec,
        past: Past,
        time_zone: TimeZone,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        shared: Arc<Shared>,
    ) -> Self {
        let limits = spec.limits;
        let admission = Admission::new(id.clone(), limits.running_cells);
        admission.count_from(past.newest);
        let seed = spec.seed.unwrap_or_else(|| shared.environment.random());
        Self {
            log: past.log,
            stored: past.stored,
            notebook: (spec.mode == SessionMode::Persistent)
                .then(|| Arc::new(Notebook::new(past.variables, past.earlier))),
            outside: Arc::new(Outside::new(Arc::clone(&shared), limits.clone(), delegate)),
            rest: Rest::default(),
            parked: Mutex::default(),
            admission,
            tools: Mutex::new(past.tools),
            check: spec.check,
            dialect: spec.dialect,
            seeds: AtomicU64::new(seed.wrapping_add(past.newest.0.wrapping_mul(SEED_STEP))),
            time_zone,
            telemetry: SessionTelemetry::new(&id, spec.mode),
            party: Party(shared.parties.fetch_add(1, Ordering::Relaxed)),
            ownership: None,
            rested: None,
            awake: None,
            id,
            limits,
            shared,
        }
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.shared.environment.now_us()
    }

    /// Returns what stays of its cells, of those that have left so far.
    pub(crate) fn parked(&self) -> MutexGuard<'_, BTreeMap<CellNumber, Box<Parked>>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the tools of the cells that are admitted now.
    pub(crate) fn tools(&self) -> Arc<ToolTable> {
        Arc::clone(&self.tools.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_tools(&self, tools: ToolTable) {
        *self.tools.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tools);
    }

    /// Frees a cell's place, then makes its outcome visible.
    pub(crate) fn leave(&self, number: CellNumber, show_outcome: impl FnOnce()) {
        self.admission.leave(number, show_outcome);
        self.close_log_when_done();
    }

    /// Writes something down, where the session is.
    pub(crate) fn note(&self, record: impl FnOnce() -> Record) {
        if let Some(journal) = self.log.journal() {
            journal.append(record());
        }
    }

    /// Has what was written down so far brought to the disk, without waiting for it.
    pub(crate) fn flush(self: &Arc<Self>) {
        let Some(journal) = self.log.journal() else { return };
        if journal.takes_pen() {
            let core = Arc::clone(self);
            self.outside.tasks.spawn_on(Kind::Journal, &journal.runtime, async move {
                let Some(journal) = core.log.journal() else { return };
                let written = AssertUnwindSafe(journal.write(|| core.keep_short())).catch_unwind().await;
                if let Err(trouble) = written.unwrap_or_else(|_| Err(journal.panicked())) {
                    core.give_up(&trouble);
                }
            });
        }
    }

    /// Does what takes long where it holds up nobody; where nothing may depend on which thread is faster, here.
    pub(crate) async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        if self.shared.lane.is_inline() { work() } else { self.outside.tasks.aside(work).await }
    }

    /// Waits until what the session did is about to be written down, where it is. Cancel safe.
    pub(crate) async fn caught_up(self: &Arc<Self>) {
        self.flush();
        if let Some(journal) = self.log.journal() {
            journal.caught_up().await;
        }
    }

    /// Has the journal folded and cut, beside all else, if that is due.
    fn keep_short(self: &Arc<Self>) {
        let Some(folding) = self.log.journal().and_then(|it| Journal::fold_if_due(it, self.shared.folding))
        else {
            return;
        };
        let (core, runtime) = (Arc::clone(self), folding.journal().runtime.clone());
        self.outside
            .tasks
            .spawn_on(Kind::Journal, &runtime, async move { journal::keep_short(&core, folding).await });
    }

    /// Ends the cells: nothing they do can be written down any more.
    pub(crate) fn give_up(&self, trouble: &Trouble) {
        self.admission.end_all(&TerminationReason::StorageFailed { detail: trouble.to_string() });
    }

    /// Returns how far the session has written.
    pub(crate) fn mark(&self) -> Mark {
        self.log.journal().map(|journal| journal.mark()).unwrap_or_default()
    }

    /// Waits until what was written up to a mark is durable. Nothing leaves a session before all that came before it is.
    /// Cancel safe.
    pub(crate) async fn durable(self: &Arc<Self>, mark: Mark) -> Result<(), Trouble> {
        let Some(journal) = self.log.journal() else { return Ok(()) };
        if journal.is_durable(mark) {
            return Ok(());
        }
        self.flush();
        journal.durable(mark).await
    }

    /// Tells whether everything so far is durable.
    pub(crate) fn is_settled(&self) -> bool {
        self.log.journal().is_none_or(|journal| journal.is_durable(journal.mark()))
    }

    /// Returns up to where the log may be read: what is durable, once everything so far is. Cancel safe.
    pub(crate) async fn readable(self: &Arc<Self>) -> Result<Seq, Trouble> {
        if self.log.journal().is_none() {
            return Ok(Seq(u64::MAX));
        }
        let last = self.log.last();
        self.settled().await?;
        Ok(last)
    }

    /// Waits until everything so far is durable. Cancel safe.
    pub(crate) async fn settled(self: &Arc<Self>) -> Result<(), Trouble> {
        self.durable(self.mark()).await
    }

    fn close_log_when_done(&self) {
        if self.admission.state() == SessionState::Closed {
            self.log.close();
        }
    }

    /// Refuses further cells and asks for the end of those that run.
    pub(crate) fn begin_shutdown(&self) {
        self.admission.close();
        self.close_log_when_done();
    }

    /// Refuses further cells and asks those that run to leave: their journal goes on with them.
    pub(crate) fn suspend(&self) {
        self.admission.suspend();
        self.close_log_when_done();
    }

    /// Draws the next seed from the session's: the sequence `SplitMix64`, whose steps are far apart in every bit.
    pub(crate) fn next_seed(&self) -> u64 {
        let mut z = self.seeds.fetch_add(SEED_STEP, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
