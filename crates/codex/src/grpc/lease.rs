//! A session of a client's, for as long as the client holds the stream that opened it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use carrel_contract::{CancellationToken, JsonText};
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use super::MAX_MESSAGE_BYTES;
use super::convert;
use super::host::Host;
use super::messages as m;
use super::subscription::Subscriptions;
use crate::service::{Cell, Client, Invocation, Session, Turn};

/// How many ids are remembered that were used up.
const REMEMBERED: usize = 4096;

/// A session, and what is under way between it and its client.
pub(super) struct Lease {
    pub(super) id: String,
    host: Weak<Host>,
    session: OnceLock<Arc<Session>>,
    pub(super) subscriptions: Subscriptions,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// To the stream that is the lease; gone when the session is. Bounded by the callbacks that it may have under way.
    events: Option<mpsc::UnboundedSender<m::SessionEvent>>,
    calls: HashMap<String, oneshot::Sender<Result<JsonText, String>>>,
    answered: Used,
    observations: HashMap<Observation, Signals>,
    observed: Used,
    /// Waits that were cancelled before they came.
    cancelled: Used,
}

/// What the client calls a request that looks at a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Observation {
    Execution(String),
    Wait(String),
}

impl Observation {
    fn name(&self) -> String {
        match self {
            Self::Execution(id) => format!("e{id}"),
            Self::Wait(id) => format!("w{id}"),
        }
    }
}

/// What the client may say of a request that looks at a cell.
#[derive(Clone, Default)]
pub(super) struct Signals {
    pub(super) cancel: CancellationToken,
    pub(super) preempt: CancellationToken,
    /// Fires when the request is gone.
    gone: CancellationToken,
}

/// Ids, the last ones.
#[derive(Default)]
struct Used {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Used {
    fn push(&mut self, id: String) {
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
    }
}

impl Lease {
    pub(super) fn new(id: String, host: &Arc<Host>, events: mpsc::UnboundedSender<m::SessionEvent>) -> Self {
        let state = State { events: Some(events), ..State::default() };
        let (session, subscriptions) = (OnceLock::new(), Subscriptions::default());
        Self { id, host: Arc::downgrade(host), session, subscriptions, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, session: Arc<Session>) {
        self.session.set(session).ok();
    }

    pub(super) fn session(&self) -> Result<Arc<Session>, Status> {
        self.session.get().cloned().ok_or_else(|| Status::not_found("unknown code-mode session"))
    }

    fn tell(&self, event: m::SessionEventEvent) {
        if let Some(events) = &self.state().events {
            // A client that is gone hears nothing.
            events.send(m::SessionEvent { event: Some(event) }).ok();
        }
    }

    /// Begins a look at a cell.
    pub(super) fn observe(self: &Arc<Self>, observation: Observation) -> Result<Observing, Status> {
        let mut state = self.state();
        let name = observation.name();
        if state.cancelled.ids.remove(&name) {
            return Err(Status::cancelled("code-mode wait was cancelled"));
        }
        if state.observations.contains_key(&observation) || state.observed.ids.contains(&name) {
            let what = match &observation {
                Observation::Execution(id) => format!("execution ID {id}"),
                Observation::Wait(id) => format!("wait ID {id}"),
            };
            return Err(Status::already_exists(format!("code-mode {what} was used before")));
        }
        let signals = Signals::default();
        state.observations.insert(observation.clone(), signals.clone());
        Ok(Observing { lease: Arc::clone(self), observation, signals })
    }

    /// Has a look at a cell end now, with what there is.
    pub(super) fn preempt(&self, observation: &Observation) {
        if let Some(signals) = self.state().observations.get(observation) {
            signals.preempt.cancel();
        }
    }

    /// Ends a wait and returns when it is gone; one that has not come yet will be refused.
    pub(super) async fn cancel_wait(&self, wait_id: String) {
        let wait = Observation::Wait(wait_id);
        let signals = {
            let mut state = self.state();
            let signals = state.observations.get(&wait).cloned();
            if signals.is_none() {
                let name = wait.name();
                state.cancelled.push(name);
            }
            signals
        };
        if let Some(signals) = signals {
            signals.cancel.cancel();
            signals.gone.cancelled().await;
        }
    }

    /// Takes the answer to a call.
    pub(super) fn answer(&self, request: m::CompleteToolCallRequest) -> Result<(), Status> {
        let id = convert::id("invocation ID", &request.invocation_id)?;
        if !self.state().calls.contains_key(id) {
            let is_known = self.state().answered.ids.contains(id);
            return if is_known {
                Ok(())
            } else {
                Err(Status::not_found("unknown code-mode tool invocation"))
            };
        }
        let outcome = match request.outcome {
            Some(m::CompleteToolCallRequestOutcome::Succeeded(done)) => {
                let invalid = |error: &dyn std::fmt::Display| {
                    Status::invalid_argument(format!("invalid code-mode tool output JSON: {error}"))
                };
                let text = String::from_utf8(done.output_json).map_err(|error| invalid(&error))?;
                Ok(JsonText::parse(&text).map_err(|error| invalid(&error.message))?)
            }
            Some(m::CompleteToolCallRequestOutcome::Failed(failed)) => Err(failed.message),
            None => return Err(Status::invalid_argument("code-mode tool completion has no outcome")),
        };
        let call = self.state().calls.remove(id);
        if let Some(call) = call {
            call.send(outcome).ok();
        }
        Ok(())
    }

    /// Ends the session: its cells, then its streams.
    pub(super) async fn close(&self) {
        if let Some(host) = self.host.upgrade() {
            host.forget(&self.id);
        }
        if let Some(session) = self.session.get() {
            session.shutdown().await;
        }
        self.state().events = None;
        self.subscriptions.clear();
    }

    /// Ends the session when there is nobody to wait for it.
    pub(super) fn abandon(self: Arc<Self>) {
        if let (Some(host), Ok(runtime)) = (self.host.upgrade(), Handle::try_current()) {
            host.tasks.spawn_on(async move { self.close().await }, &runtime);
        }
    }
}

/// A look at a cell that goes on.
pub(super) struct Observing {
    lease: Arc<Lease>,
    observation: Observation,
    pub(super) signals: Signals,
}

impl Drop for Observing {
    fn drop(&mut self) {
        let mut state = self.lease.state();
        state.observations.remove(&self.observation);
        state.observed.push(self.observation.name());
        self.signals.gone.cancel();
    }
}

/// Draws an id.
pub(super) fn draw() -> String {
    let mut bytes = [0u8; 16];
    // The system's source of randomness works, or nothing does: ids would only be less random.
    getrandom::fill(&mut bytes).ok();
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// What a session asks of its client.
pub(super) struct LeaseClient(pub(super) Arc<Lease>);

impl Client for LeaseClient {
    fn invoke(
        &self,
        call: Invocation,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<JsonText, String>> {
        Box::pin(async move {
            let lease = &self.0;
            let length = call.input.as_ref().map_or(0, |input| input.as_str().len());
            if length >= MAX_MESSAGE_BYTES {
                return Err(format!("code-mode IPC frame length {length} exceeds {MAX_MESSAGE_BYTES} bytes"));
            }
            let id = draw();
            let (sender, answer) = oneshot::channel();
            lease.state().calls.insert(id.clone(), sender);
            let asked = Asked(lease, &id);
            let given = call.cell.in_sequence(|sequence| {
                let message = m::ToolCall {
                    session_id: lease.id.clone(),
                    execution_id: call.cell.execution_id.clone(),
                    cell_id: call.cell.name.clone(),
                    invocation_id: id.clone(),
                    runtime_tool_call_id: call.call_id.clone(),
                    tool_name: Some(convert::name(&call.tool)),
                    kind: convert::kind(call.tool.kind),
                    input_json: call.input.as_ref().map(|input| input.as_str().as_bytes().to_vec()),
                    tool_call_sequence: sequence,
                };
                lease.subscriptions.give(&call.tool, message)
            });
            drop(turn);
            given?;
            let outcome = tokio::select! {
                outcome = answer => outcome.unwrap_or_else(|_| Err("code-mode session closed".to_owned())),
                () = cancel.cancelled() => {
                    let cancelled = m::ToolCallCancelled { invocation_id: id.clone() };
                    lease.tell(m::SessionEventEvent::ToolCallCancelled(cancelled));
                    Err("code-mode callback cancelled".to_owned())
                }
            };
            drop(asked);
            outcome
        })
    }

    /// The client delivers notifications before it shows what comes after them, so nobody here waits.
    fn notify(
        &self,
        cell: Arc<Cell>,
        text: String,
        _: Turn,
        _: CancellationToken,
    ) -> BoxFuture<'_, Result<(), String>> {
        let notification = m::Notification {
            notification_id: draw(),
            execution_id: cell.execution_id.clone(),
            cell_id: cell.name.clone(),
            call_id: cell.call_id.clone(),
            text,
        };
        self.0.tell(m::SessionEventEvent::Notification(notification));
        Box::pin(std::future::ready(Ok(())))
    }

    fn closed(&self, cell: &Cell) {
        self.0.tell(m::SessionEventEvent::CellClosed(m::CellClosed {
            execution_id: cell.execution_id.clone(),
            cell_id: cell.name.clone(),
            final_tool_call_sequence: cell.calls(),
        }));
    }
}

/// A call that waits for its answer; afterwards it is known to have been.
struct Asked<'a>(&'a Lease, &'a str);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.calls.remove(self.1);
        state.answered.push(self.1.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_the_fourth_version() {
        let id = draw();
        assert!(convert::uuid("id", &id).is_ok(), "{id}");
        assert_eq!(id.get(14..15), Some("4"));
        assert!(matches!(id.get(19..20), Some("8" | "9" | "a" | "b")), "{id}");
        assert_ne!(id, draw());
    }
}
