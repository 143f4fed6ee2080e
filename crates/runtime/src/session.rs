//! One session: its handle, and the core that its cells share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::error::{
    EngineFailure, ExecuteError, InvalidSource, ShutdownError, TerminateError, WaitError,
};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, EventStream,
    ExecuteRequest, Limits, Seq, SessionId, SessionState, StartedCell, TerminationReason, ToolName,
    WaitRequest, WaitResponse, WaitUntil,
};
use carrel_engine::{Start, StoreQuota, StoredSize, Tools, VmLimits};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::admission::Admission;
use crate::cell::{Cell, CellControl, CellNumber};
use crate::log::{self, SessionLog};
use crate::observe::{deadline, observe, until_ended, until_over};
use crate::provider::Shared;
use crate::stored::StoredTable;
use crate::tasks::Tasks;

/// The output budget of a termination's response, in tokens: the default of every response.
const DEFAULT_OUTPUT_TOKENS: usize = 10_000;

/// The handle of a session. Dropping the last one shuts the session down without waiting.
pub(crate) struct Session {
    core: Arc<Core>,
}

/// What a session's cells share. Outlives the handle for as long as a cell runs.
pub(crate) struct Core {
    pub(crate) id: SessionId,
    pub(crate) limits: Limits,
    pub(crate) log: SessionLog,
    pub(crate) stored: StoredTable,
    /// Places for tool calls under way; calls over it wait their turn, in order.
    pub(crate) call_places: Semaphore,
    pub(crate) shared: Arc<Shared>,
    admission: Admission,
    delegate: Mutex<Arc<dyn CodeModeSessionDelegate>>,
    tools: Arc<Tools>,
    tool_names: Vec<ToolName>,
    seeds: AtomicU64,
    tasks: Tasks,
}

impl Core {
    pub(crate) fn now_us(&self) -> i64 {
        self.shared.environment.now_us()
    }

    pub(crate) fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        Arc::clone(&self.delegate.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn tool_name(&self, index: usize) -> Option<ToolName> {
        self.tool_names.get(index).cloned()
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

    fn begin_shutdown(&self) {
        self.admission.close();
        self.close_log_when_done();
    }

    fn check_source(&self, source: &str) -> Result<(), InvalidSource> {
        let limit = self.limits.source_bytes;
        if source.trim().is_empty() {
            return Err(InvalidSource { problem: "is empty; send a JavaScript module".to_owned() });
        }
        if source.len() > limit {
            let problem = format!("has {} bytes, more than `source_bytes` = {limit}", source.len());
            return Err(InvalidSource { problem });
        }
        Ok(())
    }

    /// Admits a cell and starts its actor. Nothing in here waits, so there is no half-admitted cell.
    fn admit(self: &Arc<Self>, source: String) -> Result<CellId, ExecuteError> {
        self.check_source(&source)?;
        self.admission.check()?;
        if Handle::try_current().is_err() {
            return Err(EngineFailure { detail: "no tokio runtime is entered here".to_owned() }.into());
        }
        let start = Start {
            source,
            tools: Arc::clone(&self.tools),
            stored: self.stored.committed(),
            quota: StoreQuota {
                value_bytes: self.limits.stored_value_bytes,
                total: StoredSize { keys: self.limits.stored_keys, bytes: self.limits.stored_bytes },
            },
            seed: self.next_seed(),
            now_us: self.now_us(),
        };
        let limits = VmLimits { memory_bytes: self.limits.memory_bytes };
        let vm =
            self.shared.engine.start(start, limits).map_err(|e| EngineFailure { detail: e.to_string() })?;
        let control = Arc::new(CellControl::new(vm.stopper()));
        let begin = |number, cell_id: &CellId| {
            self.log.admit(cell_id, number);
            let cell = Cell::new(Arc::clone(self), cell_id.clone(), number, Arc::clone(&control));
            self.tasks.spawn(cell.run(vm));
        };
        self.admission.admit(Arc::clone(&control), begin)
    }

    /// Draws the next seed from the session's: the sequence `SplitMix64`, whose steps are far apart in every bit.
    fn next_seed(&self) -> u64 {
        let mut z = self.seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Session {
    pub(crate) fn new(
        id: SessionId,
        spec: carrel_contract::SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        shared: Arc<Shared>,
    ) -> Self {
        let limits = spec.limits;
        let mut tools = spec.tools;
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        let core = Core {
            log: SessionLog::new(limits.clone()),
            stored: StoredTable::default(),
            call_places: Semaphore::new(limits.pending_tool_calls.min(Semaphore::MAX_PERMITS)),
            admission: Admission::new(id.clone(), limits.running_cells),
            delegate: Mutex::new(delegate),
            tools: Arc::new(Tools::new(
                tools.iter().map(|tool| (tool.name.as_str(), tool.description.as_str())),
            )),
            tool_names: tools.into_iter().map(|tool| tool.name).collect(),
            seeds: AtomicU64::new(spec.seed.unwrap_or_else(|| shared.environment.random())),
            tasks: Tasks::default(),
            id,
            limits,
            shared,
        };
        Self { core: Arc::new(core) }
    }

    /// Hands the session to another owner: callbacks from now on go to this delegate.
    pub(crate) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        *self.core.delegate.lock().unwrap_or_else(PoisonError::into_inner) = delegate;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.core.begin_shutdown();
    }
}

impl CodeModeSession for Session {
    fn id(&self) -> &SessionId {
        &self.core.id
    }

    fn state(&self) -> SessionState {
        self.core.admission.state()
    }

    fn execute(&self, request: ExecuteRequest) -> CodeModeFuture<'_, StartedCell, ExecuteError> {
        Box::pin(async move {
            let core = Arc::clone(&self.core);
            let deadline = deadline(request.yield_time);
            let cell_id = core.admit(request.source)?;
            let observed = (cell_id.clone(), Seq::START);
            let first_response = Box::pin(async move {
                until_over(&core.log, std::slice::from_ref(&observed), WaitUntil::AllEnded, deadline).await?;
                let (cell_id, after) = observed;
                Ok(core.log.respond(&cell_id, Some(after), request.max_output_tokens)?)
            });
            Ok(StartedCell { cell_id, first_response })
        })
    }

    fn wait(&self, request: WaitRequest) -> CodeModeFuture<'_, WaitResponse, WaitError> {
        Box::pin(observe(&self.core.log, request))
    }

    fn terminate(&self, cell_id: CellId) -> CodeModeFuture<'_, CellResponse, TerminateError> {
        Box::pin(async move {
            if let Some(control) =
                CellNumber::of(&cell_id).and_then(|number| self.core.admission.control(number))
            {
                control.terminate(TerminationReason::Requested);
            }
            until_ended(&self.core.log, &cell_id).await?;
            Ok(self.core.log.respond(&cell_id, None, DEFAULT_OUTPUT_TOKENS)?)
        })
    }

    fn events(&self, after: Seq) -> EventStream {
        log::follow(Arc::clone(&self.core), |core: &Core| &core.log, after)
    }

    fn shutdown(&self) -> CodeModeFuture<'_, (), ShutdownError> {
        Box::pin(async move {
            self.core.begin_shutdown();
            let ended = async {
                self.core.admission.empty().await;
                self.core.tasks.join().await;
            };
            // A delegate that blocks its thread can hold a cell, but not whoever shuts down.
            drop(timeout(self.core.limits.shutdown_time, ended).await);
            Ok(())
        })
    }
}
