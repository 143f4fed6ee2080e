//! One session: the handle through which cells are admitted, observed and ended.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use carrel_contract::error::{
    EngineFailure, ExecuteError, InvalidSource, LimitReached, SessionClosed, SetToolsError, ShutdownError,
    ShuttingDown, StoredError, TerminateError, WaitError,
};
use carrel_contract::{
    CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, EventStream,
    ExecuteRequest, IdempotencyKey, Notice, Read, Seq, SessionId, SessionState, StartedCell, StoredKey,
    TerminationReason, ToolDescription, WaitRequest, WaitResponse, WaitUntil,
};
use carrel_engine::{EngineError, Vm, VmLimits};
use carrel_journal::Record;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tracing::Instrument;

use crate::cell::{self, Cell, Ground, Opening, Parked};
use crate::control::CellControl;
use crate::journal::{self, CellHistory, Trouble};
use crate::keeper::{Keeper, Revived};
use crate::log::{self, Keyed, Reader};
use crate::number::CellNumber;
use crate::observe::{deadline, observe, until_ended, until_over, up_to_yield};
use crate::seat::Seat;
use crate::seat::present::Presence;
use crate::shared::Core;
use crate::tasks::Kind;
use crate::telemetry;
use crate::tools::ToolTable;

/// The output budget of a termination's response, in tokens: the default of every response.
const DEFAULT_OUTPUT_TOKENS: usize = 10_000;

/// The limit of the places of the engine, by its name.
const MAX_VMS: &str = "max_vms";

/// The handle of a session. Dropping the last one shuts the session down without waiting.
pub(crate) struct Session {
    seat: Arc<Seat>,
}

impl Session {
    pub(crate) fn new(
        core: Core,
        keeper: Option<Arc<Keeper>>,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        presence: Option<Presence>,
    ) -> Self {
        Self { seat: Arc::clone(Seat::hold(core, keeper, delegate, presence).seat()) }
    }

    /// Makes a session of what its journal says it was. Its running cells go on.
    pub(crate) async fn revive(
        revived: Revived,
        keeper: Arc<Keeper>,
        delegate: Arc<dyn CodeModeSessionDelegate>,
        presence: Presence,
    ) -> Result<Self, EngineFailure> {
        let Revived { core, running, .. } = revived;
        let vms = vms(&core, running.len()).await?;
        let core = Seat::hold(core, Some(keeper), delegate, Some(presence));
        let session = Self { seat: Arc::clone(core.seat()) };
        go_on(&core, running, vms, &mut BTreeMap::new())?;
        Ok(session)
    }

    pub(crate) fn is_journaled(&self) -> bool {
        self.seat.is_journaled()
    }

    /// Lets it go although somebody holds it: it was shut down, and another is to have its place.
    pub(crate) fn leave(&self) {
        self.seat.leave();
    }

    pub(crate) fn is_left(&self) -> bool {
        self.seat.is_left()
    }

    /// Waits until all of it so far is written down.
    pub(crate) async fn settled(&self) -> Result<(), Trouble> {
        self.seat.settled().await
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> Arc<Core> {
        self.seat.listen().expect("it is in memory")
    }

    /// Hands the session to another owner: callbacks from now on go to this delegate.
    pub(crate) fn adopt(&self, delegate: Arc<dyn CodeModeSessionDelegate>) {
        self.seat.adopt(delegate);
    }

    /// Admits a cell and starts its actor, unless there is one of this key. Nothing in here waits, so there is no
    /// half-admitted cell.
    fn admit(
        core: &Arc<Core>,
        source: &mut String,
        key: Option<&IdempotencyKey>,
    ) -> Result<CellId, ExecuteError> {
        check_source(source, core.limits.source_bytes)?;
        let keyed = key.map(|key| Keyed::new(key.clone(), source));
        let known = || match &keyed {
            Some(keyed) => Ok(core.log.keyed(keyed)?),
            None => Ok(None),
        };
        // It is found whatever keeps others from being admitted.
        if let Some(cell_id) = known()? {
            return Ok(cell_id);
        }
        core.admission.check()?;
        if let Some(trouble) = core.log.journal().and_then(|journal| journal.trouble()) {
            return Err(trouble.into());
        }
        if Handle::try_current().is_err() {
            return Err(EngineFailure { detail: "no tokio runtime is entered here".to_owned() }.into());
        }
        let limits = VmLimits { memory_bytes: core.limits.memory_bytes, cpu_time: core.limits.cpu_time };
        let vm = core.shared.engine.vacant(limits).map_err(|error| no_vm(core, &error))?;
        let control = Arc::new(CellControl::new(vm.stopper()));
        let begin = |number, cell_id: &CellId| {
            // Under the lock: a cell that is admitted after another's end finds what that one left, and has the tools that the
            // journal says it has.
            let tools = core.tools();
            let ground = match &core.notebook {
                None => Ground::Fresh(core.stored.committed()),
                Some(notebook) => Ground::Persistent(notebook.queue(number)),
            };
            let seed = core.next_seed();
            let key = keyed.as_ref().map(|keyed| keyed.key.as_str().to_owned());
            core.log.admit(cell_id, number, keyed.clone(), || Record::CellAdmitted {
                cell: number.0,
                source: source.as_str().into(),
                seed,
                at_us: core.now_us(),
                key,
            });
            let opening = Opening { vm, source: mem::take(source), seed, ground, history: None };
            let cell =
                Cell::new(Arc::clone(core), tools, cell_id.clone(), number, Arc::clone(&control), None);
            let span = cell.telemetry.span.clone();
            core.outside.tasks.spawn(Kind::Cell, cell::run(cell, opening).instrument(span));
        };
        core.admission.admit(Arc::clone(&control), known, begin)
    }
}

/// Makes VMs for the cells of a session that is to come back. Where there is no place for them, sessions that rest leave.
pub(crate) async fn vms(core: &Core, count: usize) -> Result<Vec<Vm>, EngineFailure> {
    let limits = VmLimits { memory_bytes: core.limits.memory_bytes, cpu_time: core.limits.cpu_time };
    loop {
        let vms: Result<Vec<_>, _> = (0..count).map(|_| core.shared.engine.vacant(limits)).collect();
        match vms {
            Ok(vms) => return Ok(vms),
            Err(error) if error.is_pool_full() && core.shared.crowd.make_room().await => {}
            Err(error) => return Err(EngineFailure { detail: error.to_string() }),
        }
    }
}

/// Has the cells of a session go on that its journal says were running, each in a VM of these, and with what stayed of it where
/// the session only slept.
pub(crate) fn go_on(
    core: &Arc<Core>,
    running: BTreeMap<CellNumber, CellHistory>,
    vms: Vec<Vm>,
    parked: &mut BTreeMap<CellNumber, Box<Parked>>,
) -> Result<(), EngineFailure> {
    for ((number, history), vm) in running.into_iter().zip(vms) {
        let failed = |detail: String| EngineFailure { detail };
        let cell_id = number.id().map_err(|error| failed(error.to_string()))?;
        let control = Arc::new(CellControl::new(vm.stopper()));
        let ground = match &core.notebook {
            None => Ground::Fresh(Arc::clone(&history.stored)),
            Some(notebook) => Ground::Persistent(notebook.queue(number)),
        };
        let parked = parked.remove(&number);
        if parked.is_none() {
            let notice = Notice::Recovered { repeated: Vec::new(), unknown: Vec::new() };
            core.log.notice(&cell_id, notice);
        }
        let tools = Arc::clone(&history.tools);
        let (source, seed) = (history.source.clone(), history.seed);
        let opening = Opening { vm, source, seed, ground, history: Some(Box::new(history)) };
        let cell = Cell::new(Arc::clone(core), tools, cell_id, number, Arc::clone(&control), parked);
        let span = cell.telemetry.span.clone();
        core.admission.readmit(number, control);
        core.outside.tasks.spawn(Kind::Cell, cell::run(cell, opening).instrument(span));
    }
    Ok(())
}

fn no_vm(core: &Core, error: &EngineError) -> ExecuteError {
    if error.is_pool_full() {
        return LimitReached::new(MAX_VMS, core.shared.max_vms.into(), Vec::new()).into();
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
        self.seat.leave();
    }
}

impl CodeModeSession for Session {
    fn id(&self) -> &SessionId {
        &self.seat.id
    }

    fn state(&self) -> SessionState {
        self.seat.state()
    }

    fn execute(&self, request: ExecuteRequest) -> CodeModeFuture<'_, StartedCell, ExecuteError> {
        Box::pin(async move {
            let core = self.seat.enter().await?;
            let deadline = deadline(request.yield_time);
            let (mut source, key) = (request.source, request.idempotency_key);
            let cell_id = loop {
                match Self::admit(&core, &mut source, key.as_ref()) {
                    Err(ExecuteError::LimitReached(limit))
                        if limit.limit == MAX_VMS && core.shared.crowd.make_room().await => {}
                    admitted => break admitted.inspect_err(telemetry::cell_refused)?,
                }
            };
            core.settled().await?;
            let observed = (cell_id.clone(), Seq::START);
            drop(core);
            let seat = Arc::clone(&self.seat);
            let first_response = Box::pin(async move {
                let (core, _used) = seat.look().await?;
                until_over(&core.log, std::slice::from_ref(&observed), WaitUntil::AllEnded, deadline).await?;
                let upto = core.readable().await?;
                let upto = up_to_yield(&core, &observed.0, observed.1, upto);
                let reader = if request.look { Reader::LookFirst } else { Reader::First };
                Ok(core.log.respond(&observed.0, reader, request.max_output_tokens, upto)?)
            });
            Ok(StartedCell { cell_id, first_response })
        })
    }

    fn set_tools(&self, tools: Vec<ToolDescription>) -> CodeModeFuture<'_, (), SetToolsError> {
        Box::pin(async move {
            let core = self.seat.enter().await?;
            let tools = ToolTable::new(tools, core.dialect)?;
            let set = || {
                core.note(|| Record::ToolsSet { tools: journal::as_json(&tools.descriptions()) });
                core.set_tools(tools);
            };
            let session_id = core.id.clone();
            match core.admission.while_open(set) {
                SessionState::Open => {}
                SessionState::ShuttingDown => return Err(ShuttingDown { session_id }.into()),
                _ => return Err(SessionClosed { session_id }.into()),
            }
            Ok(core.settled().await?)
        })
    }

    fn stored(&self) -> CodeModeFuture<'_, Vec<StoredKey>, StoredError> {
        Box::pin(async move {
            let core = self.seat.enter().await?;
            Ok(core.stored.committed().keys())
        })
    }

    fn wait(&self, request: WaitRequest) -> CodeModeFuture<'_, WaitResponse, WaitError> {
        Box::pin(async move {
            let core = self.seat.enter().await?;
            observe(&core, request).await
        })
    }

    fn note_read(&self, read: Read) {
        self.seat.note_read(read);
    }

    /// One that sleeps holds nothing; what its journal has is there when it wakes.
    fn forget(&self, cell_id: &CellId) {
        if let Some(core) = self.seat.listen() {
            core.log.forget(cell_id);
        }
    }

    fn terminate(&self, cell_id: CellId) -> CodeModeFuture<'_, CellResponse, TerminateError> {
        Box::pin(async move {
            let ended = cell_id.clone();
            let terminate = move |core: &Core| {
                if let Some(control) = core.admission.control_of(&ended) {
                    control.terminate(TerminationReason::Requested);
                }
            };
            let core = self.seat.begin(terminate).await?;
            until_ended(&core.log, &cell_id).await?;
            let upto = core.readable().await?;
            Ok(core.log.respond(&cell_id, Reader::Session, DEFAULT_OUTPUT_TOKENS, upto)?)
        })
    }

    fn events(&self, after: Seq) -> EventStream {
        log::follow(Arc::clone(&self.seat), after)
    }

    fn shutdown(&self) -> CodeModeFuture<'_, (), ShutdownError> {
        Box::pin(async move {
            let core = self.seat.begin(Core::begin_shutdown).await?;
            let ended = async {
                core.admission.empty().await;
                core.settled().await.ok();
                core.outside.tasks.join().await;
            };
            // A delegate that blocks its thread can hold a cell, but not whoever shuts down.
            drop(timeout(core.limits.shutdown_time, ended).await);
            Ok(())
        })
    }
}
