//! The methods of the service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tonic::{Response, Status};

use super::call::Answers;
use super::client::LeaseClient;
use super::events::{Events, SessionEvents};
use super::lease::Lease;
use super::observation::{Observation, Observing};
use super::{convert, ids, messages as m};
use crate::Hosting;
use crate::service::{Admitted, Answer, Budget, Cell, Run, Session, Settings, Waited};

/// The calls that a client takes at once that does not say.
const CAPACITY: usize = 4096;

/// The sessions of a host.
pub(super) struct Host {
    hosting: Arc<Hosting>,
    leases: Mutex<HashMap<String, Arc<Lease>>>,
    /// What goes on though its request is gone.
    pub(super) tasks: TaskTracker,
}

fn failed(message: String) -> Status {
    Status::failed_precondition(message)
}

fn empty() -> Result<Response<m::Empty>, Status> {
    Ok(Response::new(m::Empty {}))
}

impl Host {
    pub(super) fn new(hosting: Arc<Hosting>) -> Arc<Self> {
        Arc::new(Self { hosting, leases: Mutex::default(), tasks: TaskTracker::new() })
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<String, Arc<Lease>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget(&self, id: &str) {
        self.leases().remove(id);
    }

    fn lease(&self, id: &str) -> Result<Arc<Lease>, Status> {
        let id = ids::uuid("session ID", id)?;
        let found = self.leases().get(id).cloned();
        found.ok_or_else(|| Status::not_found(format!("unknown code-mode session {id}")))
    }

    pub(super) async fn open_session(
        self: Arc<Self>,
        request: m::OpenSessionRequest,
    ) -> Result<Answers<m::SessionEvent>, Status> {
        let truncates = match request.output_truncation {
            0 | 1 => false,
            2 => true,
            other => {
                return Err(Status::invalid_argument(format!("unknown code-mode output truncation {other}")));
            }
        };
        let limits = request.cell_execution_limits.unwrap_or_default();
        let settings = Settings {
            max_yield_time: limits.max_yield_time_ms.map(Duration::from_millis),
            max_heap_bytes: limits.max_heap_size_bytes,
            truncates,
            pending_calls: match request.max_pending_delegate_calls {
                0 => CAPACITY,
                asked => usize::try_from(asked).unwrap_or(CAPACITY),
            },
        };
        let (events, received) = Events::new();
        let lease = Arc::new(Lease::new(&self, events));
        let client = Arc::new(LeaseClient(Arc::clone(&lease)));
        let session = self.hosting.open(None, client, &settings).await.map_err(failed)?;
        lease.begin(session);
        self.leases().insert(lease.id.clone(), Arc::clone(&lease));
        let opened = m::SessionOpened {
            session_id: lease.id.clone(),
            output_truncation: if truncates { 2 } else { 0 },
        };
        let opened = m::SessionEvent { event: Some(m::SessionEventEvent::Opened(opened)) };
        let events = SessionEvents::new(received, lease);
        Ok(Box::pin(stream::once(async { Ok(opened) }).chain(events)))
    }

    pub(super) async fn close_session(
        self: Arc<Self>,
        request: m::CloseSessionRequest,
    ) -> Result<Response<m::Empty>, Status> {
        let lease = self.lease(&request.session_id)?;
        // On its own: a client that goes away meanwhile has still closed it.
        let closed = self.tasks.spawn(async move { lease.close().await });
        closed.await.map_err(|_| Status::internal("closing panicked"))?;
        empty()
    }

    pub(super) async fn subscribe(
        self: Arc<Self>,
        request: m::SubscribeToToolCallsRequest,
    ) -> Result<Answers<m::ToolCall>, Status> {
        let lease = self.lease(&request.session_id)?;
        let session = lease.session()?;
        let calls = lease.subscriptions.add(&lease, request.tool_names)?;
        session.opened();
        Ok(Box::pin(calls))
    }

    pub(super) async fn complete(
        self: Arc<Self>,
        request: m::CompleteToolCallRequest,
    ) -> Result<Response<m::Empty>, Status> {
        self.lease(&request.session_id)?.pending.answer(request)?;
        empty()
    }

    pub(super) async fn acknowledge(
        self: Arc<Self>,
        request: m::AcknowledgeNotificationRequest,
    ) -> Result<Response<m::Empty>, Status> {
        self.lease(&request.session_id)?;
        empty()
    }

    pub(super) async fn execute(
        self: Arc<Self>,
        request: m::ExecuteRequest,
    ) -> Result<Answers<m::ExecuteEvent>, Status> {
        let received_at = Instant::now();
        let lease = self.lease(&request.session_id)?;
        let execution_id = ids::chosen("execution ID", &request.execution_id)?.to_owned();
        let tools = request.enabled_tools.into_iter().map(convert::tool).collect::<Result<_, _>>()?;
        let session = lease.session()?;
        let observing = lease.observations.begin(Observation::Execution(execution_id.clone()))?;
        let budget = Budget {
            received_at,
            yield_time: request.yield_time_ms.map(Duration::from_millis),
            max_tokens: convert::tokens(request.max_output_tokens),
        };
        let (call_id, source) = (request.tool_call_id, request.source);
        let run = Run { call_id, execution_id: execution_id.clone(), tools, source, budget };
        // On its own: a client that goes away while a cell is admitted leaves no cell that nobody knows.
        let admitted = self
            .tasks
            .spawn(admit(session, run, self.tasks.clone()))
            .await
            .map_err(|_| Status::internal("admission panicked"))?;
        let (admitted, abandoned) = admitted.map_err(failed)?;
        let cell_id = admitted.cell.name.clone();
        let started = m::ExecutionStarted { execution_id, cell_id };
        let started = m::ExecuteEvent { event: Some(m::ExecuteEventEvent::Started(started)) };
        let outcome = respond(admitted, abandoned, observing);
        Ok(Box::pin(stream::once(async { Ok(started) }).chain(stream::once(outcome))))
    }

    pub(super) async fn wait(
        self: Arc<Self>,
        request: m::WaitRequest,
    ) -> Result<Response<m::WaitResponse>, Status> {
        let received_at = Instant::now();
        let lease = self.lease(&request.session_id)?;
        let wait_id = ids::chosen("wait ID", &request.wait_id)?.to_owned();
        ids::chosen("cell ID", &request.cell_id)?;
        let session = lease.session()?;
        let observing = lease.observations.begin(Observation::Wait(wait_id))?;
        let budget = Budget {
            received_at,
            yield_time: Some(Duration::from_millis(request.yield_time_ms)),
            max_tokens: convert::tokens(request.max_output_tokens),
        };
        let signals = observing.signals.clone();
        let answer = tokio::select! {
            biased;
            () = signals.cancel.cancelled() => return Err(Status::cancelled("code-mode wait was cancelled")),
            answer = session.wait(&request.cell_id, budget, signals.preempt.cancelled()) => answer,
        };
        looked(answer)
    }

    pub(super) async fn yield_observation(
        self: Arc<Self>,
        request: m::YieldObservationRequest,
    ) -> Result<Response<m::Empty>, Status> {
        let lease = self.lease(&request.session_id)?;
        match request.observation {
            Some(m::YieldObservationRequestObservation::ExecutionId(id)) => {
                lease.observations.preempt(&Observation::Execution(id));
            }
            Some(m::YieldObservationRequestObservation::WaitId(id)) => {
                lease.observations.preempt(&Observation::Wait(id));
            }
            None => return Err(Status::invalid_argument("code-mode yield names no observation")),
        }
        empty()
    }

    pub(super) async fn cancel_wait(
        self: Arc<Self>,
        request: m::CancelWaitRequest,
    ) -> Result<Response<m::Empty>, Status> {
        let lease = self.lease(&request.session_id)?;
        let wait_id = ids::chosen("wait ID", &request.wait_id)?.to_owned();
        lease.observations.cancel(Observation::Wait(wait_id)).await;
        empty()
    }

    pub(super) async fn terminate(
        self: Arc<Self>,
        request: m::TerminateRequest,
    ) -> Result<Response<m::WaitResponse>, Status> {
        let received_at = Instant::now();
        let session = self.lease(&request.session_id)?.session()?;
        ids::chosen("cell ID", &request.cell_id)?;
        let budget =
            Budget { received_at, yield_time: None, max_tokens: convert::tokens(request.max_output_tokens) };
        looked(session.terminate(&request.cell_id, budget).await)
    }
}

fn looked(answer: Result<Answer, String>) -> Result<Response<m::WaitResponse>, Status> {
    let Answer { waited, ticket } = answer.map_err(failed)?;
    let response = convert::waited(waited);
    if let Some(ticket) = ticket {
        ticket.deliver();
    }
    Ok(response)
}

async fn admit(session: Arc<Session>, run: Run, tasks: TaskTracker) -> Result<(Admitted, Abandoned), String> {
    let admitted = session.execute(run).await?;
    admitted.cell.announce();
    let abandoned = Abandoned { session, tasks, cell: Some(Arc::clone(&admitted.cell)) };
    Ok((admitted, abandoned))
}

/// Waits for a cell's first response.
async fn respond(
    admitted: Admitted,
    mut abandoned: Abandoned,
    observing: Observing,
) -> Result<m::ExecuteEvent, Status> {
    let answer = admitted.respond(observing.signals.preempt.cancelled()).await;
    abandoned.cell = None;
    let Answer { waited: Waited::Live(response) | Waited::Missing(response), ticket } =
        answer.map_err(failed)?;
    let outcome = m::ExecuteEvent { event: Some(m::ExecuteEventEvent::Outcome(convert::outcome(response))) };
    if let Some(ticket) = ticket {
        ticket.deliver();
    }
    Ok(outcome)
}

/// A cell whose first response nobody has. Dropped as that, it is one that nobody will ask for.
struct Abandoned {
    session: Arc<Session>,
    tasks: TaskTracker,
    cell: Option<Arc<Cell>>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let (Some(cell), Ok(runtime)) = (self.cell.take(), Handle::try_current()) {
            let session = Arc::clone(&self.session);
            self.tasks.spawn_on(async move { session.abandon(&cell).await }, &runtime);
        }
    }
}
