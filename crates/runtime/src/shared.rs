//! What the cells of a session share, and what the sessions of a provider share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::{
    CellChecker, CodeModeSessionDelegate, Limits, SessionId, SessionMode, SessionSpec, SessionState,
};
use carrel_engine::{Engine, StoreQuota, StoredSize, TimeZone};
use tokio::sync::Semaphore;

use crate::admission::Admission;
use crate::environment::Environment;
use crate::guest::{Lane, Party, Ticker};
use crate::log::SessionLog;
use crate::notebook::Notebook;
use crate::number::CellNumber;
use crate::stored::StoredTable;
use crate::tasks::Tasks;
use crate::telemetry::SessionTelemetry;
use crate::tools::ToolTable;

/// What all sessions of a provider share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) max_vms: u32,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) checker: Option<Arc<dyn CellChecker>>,
    // The lane's threads hold the ticker, so it is declared, and dropped, first.
    pub(crate) lane: Lane,
    pub(crate) ticker: Arc<Ticker>,
    pub(crate) parties: AtomicU64,
}

/// What a session's cells share. Outlives the session's handle for as long as a cell runs.
pub(crate) struct Core {
    pub(crate) id: SessionId,
    pub(crate) limits: Limits,
    pub(crate) log: SessionLog,
    pub(crate) stored: StoredTable,
    /// What the cells of a persistent session leave each other.
    pub(crate) notebook: Option<Arc<Notebook>>,
    /// Places for tool calls under way; calls over it wait their turn, in order.
    pub(crate) call_places: Semaphore,
    pub(crate) shared: Arc<Shared>,
    /// Whose turns its VMs have in the lane.
    pub(crate) party: Party,
    pub(crate) admission: Admission,
    delegate: Mutex<Arc<dyn CodeModeSessionDelegate>>,
    tools: Mutex<Arc<ToolTable>>,
    /// Whether cells are to be checked before they run.
    pub(crate) check: bool,
    pub(crate) time_zone: TimeZone,
    seeds: AtomicU64,
    pub(crate) tasks: Tasks,
    pub(crate) telemetry: SessionTelemetry,
}

impl Core {
    pub(crate) fn new(
        id: SessionId,
        spec: SessionSpec,
        tools: ToolTable,
        time_zone: TimeZone,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        shared: Arc<Shared>,
    ) -> Self {
        let limits = spec.limits;
        Self {
            log: SessionLog::new(limits.clone()),
            stored: StoredTable::new(StoreQuota {
                value_bytes: limits.stored_value_bytes,
                total: StoredSize { keys: limits.stored_keys, bytes: limits.stored_bytes },
            }),
            notebook: (spec.mode == SessionMode::Persistent).then(Arc::default),
            call_places: Semaphore::new(limits.pending_tool_calls.min(Semaphore::MAX_PERMITS)),
            admission: Admission::new(id.clone(), limits.running_cells),
            delegate: Mutex::new(delegate),
            tools: Mutex::new(Arc::new(tools)),
            check: spec.check,
            seeds: AtomicU64::new(spec.seed.unwrap_or_else(|| shared.environment.random())),
            time_zone,
            tasks: Tasks::default(),
            telemetry: SessionTelemetry::new(&id, spec.mode),
            party: Party(shared.parties.fetch_add(1, Ordering::Relaxed)),
            id,
            limits,
            shared,
        }
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.shared.environment.now_us()
    }

    pub(crate) fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.delegate.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Hands the session to another owner: callbacks from now on go to this delegate.
    pub(crate) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        *self.delegate.lock().unwrap_or_else(PoisonError::into_inner) = delegate;
    }

    /// Draws the next seed from the session's: the sequence `SplitMix64`, whose steps are far apart in every bit.
    pub(crate) fn next_seed(&self) -> u64 {
        let mut z = self.seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
