//! One session: the handle through which cells are admitted, observed and ended.

use std::sync::Arc;

use carrel_contract::error::{
    EngineFailure, ExecuteError, InvalidSource, LimitReached, SessionClosed, SetToolsError, ShutdownError,
    ShuttingDown, TerminateError, WaitError,
};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, EventStream,
    ExecuteRequest, Seq, SessionId, SessionState, StartedCell, TerminationReason, ToolDescription,
    WaitRequest, WaitResponse, WaitUntil,
};
use carrel_engine::{EngineError, VmLimits};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tracing::Instrument;

use crate::cell::{self, Cell, Ground, Opening};
use crate::control::CellControl;
use crate::log::{self, Reader};
use crate::observe::{deadline, observe, until_ended, until_over};
use crate::shared::Core;
use crate::tasks::Kind;
use crate::telemetry;
use crate::tools::ToolTable;

/// The output budget of a termination's response, in tokens: the default of every response.
const DEFAULT_OUTPUT_TOKENS: usize = 10_000;

/// The handle of a session. Dropping the last one shuts the session down without waiting.
pub(crate) struct Session {
    core: Arc<Core>,
}

impl Session {
    pub(crate) fn new(core: Core) -> Self {
        Self { core: Arc::new(core) }
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    /// Hands the session to another owner: callbacks from now on go to this delegate.
    pub(crate) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        self.core.adopt(delegate);
    }

    /// Admits a cell and starts its actor. Nothing in here waits, so there is no half-admitted cell.
    fn admit(&self, source: String) -> Result<CellId, ExecuteError> {
        let core = &self.core;
        check_source(&source, core.limits.source_bytes)?;
        core.admission.check()?;
        if Handle::try_current().is_err() {
            return Err(EngineFailure { detail: "no tokio runtime is entered here".to_owned() }.into());
        }
        let limits = VmLimits { memory_bytes: core.limits.memory_bytes, cpu_time: core.limits.cpu_time };
        let vm = core.shared.engine.vacant(limits).map_err(|error| no_vm(core, &error))?;
        let control = Arc::new(CellControl::new(vm.stopper()));
        let tools = core.tools();
        let begin = |number, cell_id: &CellId| {
            // Under the lock: a cell that is admitted after another's end finds what that one left.
            let ground = match &core.notebook {
                None => Ground::Fresh(core.stored.committed()),
                Some(notebook) => Ground::Persistent(notebook.queue(number)),
            };
            let opening = Opening { vm, source, seed: core.next_seed(), ground };
            core.log.admit(cell_id, number);
            let cell = Cell::new(Arc::clone(core), tools, cell_id.clone(), number, Arc::clone(&control));
            let span = cell.telemetry.span.clone();
            core.tasks.spawn(Kind::Cell, cell::run(cell, opening).instrument(span));
        };
        core.admission.admit(Arc::clone(&control), begin)
    }
}

fn no_vm(core: &Core, error: &EngineError) -> ExecuteError {
    if error.is_pool_full() {
        return LimitReached::new("max_vms", core.shared.max_vms.into(), Vec::new()).into();
    }
    EngineFailure { detail: error.to_string() }.into()
}

fn check_source(source: &str, limit: usize) -> Result<(), InvalidSource> {
    if source.trim().is_empty() {
        return Err(InvalidSource { problem: "is empty; send a JavaScript module".to_owned() });
    }
    if source.len() > limit {
        let problem = format!("has {} bytes, more than `source_bytes` = {limit}", source.len());
        return Err(InvalidSource { problem });
    }
    Ok(())
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
            let cell_id = self.admit(request.source).inspect_err(telemetry::cell_refused)?;
            let observed = (cell_id.clone(), Seq::START);
            let first_response = Box::pin(async move {
                until_over(&core.log, std::slice::from_ref(&observed), WaitUntil::AllEnded, deadline).await?;
                Ok(core.log.respond(&observed.0, Reader::First, request.max_output_tokens)?)
            });
            Ok(StartedCell { cell_id, first_response })
        })
    }

    fn set_tools(&self, tools: Vec<ToolDescription>) -> CodeModeFuture<'_, (), SetToolsError> {
        Box::pin(async move {
            let session_id = self.core.id.clone();
            match self.core.admission.state() {
                SessionState::Open => {}
                SessionState::ShuttingDown => return Err(ShuttingDown { session_id }.into()),
                _ => return Err(SessionClosed { session_id }.into()),
            }
            self.core.set_tools(ToolTable::new(tools)?);
            Ok(())
        })
    }

    fn wait(&self, request: WaitRequest) -> CodeModeFuture<'_, WaitResponse, WaitError> {
        Box::pin(observe(&self.core.log, request))
    }

    fn terminate(&self, cell_id: CellId) -> CodeModeFuture<'_, CellResponse, TerminateError> {
        Box::pin(async move {
            if let Some(control) = self.core.admission.control_of(&cell_id) {
                control.terminate(TerminationReason::Requested);
            }
            until_ended(&self.core.log, &cell_id).await?;
            Ok(self.core.log.respond(&cell_id, Reader::Session, DEFAULT_OUTPUT_TOKENS)?)
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
