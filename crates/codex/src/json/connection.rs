//! What a client asks for, done in order.
//!
//! What is quick is done before the next message is read, so that cells get their numbers in the order of the requests.
//! Whatever waits is a task of the connection's, and a task that panics ends it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::answers::{completed, first_response};
use super::client::{self, ClientMessage, Operation};
use super::host::{HostMessage, Outcome, Value};
use super::link::{Link, SessionClient};
use super::outbox::Outbox;
use super::requests::{Active, Requests};
use super::serve::ConnectionError;
use crate::Hosting;
use crate::recent::Recent;
use crate::service::{Budget, Run, Session, Settings, Tool, ToolName, cut_error};

/// The longest id of a session.
const MAX_ID_BYTES: usize = 1024;

/// A client, and what is under way for it.
pub(super) struct Connection {
    hosting: Arc<Hosting>,
    link: Arc<Link>,
    capacity: usize,
    requests: Requests,
    sessions: Arc<Mutex<Sessions>>,
    pub(super) tasks: JoinSet<()>,
}

#[derive(Default)]
struct Sessions {
    open: HashMap<String, Arc<Session>>,
    /// Ids that must not come again.
    closed: Recent<String>,
}

impl Connection {
    pub(super) fn new(hosting: Arc<Hosting>, outbox: Outbox, capacity: usize) -> Self {
        Self {
            hosting,
            link: Arc::new(Link::new(outbox, capacity)),
            capacity,
            requests: Requests::default(),
            sessions: Arc::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Takes a frame of the client's.
    pub(super) async fn take(&mut self, frame: &[u8]) -> Result<(), ConnectionError> {
        let received_at = Instant::now();
        let invalid = |error: String| {
            ConnectionError::Message(format!("failed to decode code-mode IPC frame: {error}"))
        };
        match serde_json::from_slice(frame).map_err(|error| invalid(error.to_string()))? {
            ClientMessage::Hello(_) => return Err(ConnectionError::SecondHello),
            ClientMessage::Request(request) => {
                let active =
                    self.requests.begin(request.id).ok_or(ConnectionError::DuplicateRequest(request.id))?;
                let session = session_of(&request.request);
                if session.trim().is_empty() {
                    return Err(invalid("identifier must not be empty".to_owned()));
                }
                if let Operation::Wait(client::Wait { max_output_tokens: Some(tokens @ ..0), .. })
                | Operation::Terminate(client::Terminate {
                    max_output_tokens: Some(tokens @ ..0), ..
                }) = request.request
                {
                    return Err(invalid(format!("invalid value: integer `{tokens}`, expected usize")));
                }
                self.perform(active, request.request, received_at).await;
            }
            ClientMessage::Cancel(named) => {
                if let Some(signals) = self.requests.signals(named.id) {
                    signals.cancel.cancel();
                }
            }
            ClientMessage::Yield(named) => {
                if let Some(signals) = self.requests.signals(named.id) {
                    signals.preempt.cancel();
                }
            }
            ClientMessage::Response(response) => self.link.answered(response.id, response.result),
        }
        Ok(())
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self, id: &str) -> Result<Arc<Session>, String> {
        self.sessions().open.get(id).cloned().ok_or_else(|| format!("unknown code-mode session {id}"))
    }

    fn fail(&self, id: i64, message: String) {
        let message = cut_error(message);
        self.say(&HostMessage::Response { id, result: Outcome::Error { message } });
    }

    /// Queues a message that always fits a frame.
    fn say(&self, message: &HostMessage<'_>) {
        self.link.outbox.say(message).ok();
    }

    async fn perform(&mut self, active: Active, operation: Operation, received_at: Instant) {
        let id = active.id;
        let done = match operation {
            Operation::Open(open) => self.open(id, open).await,
            Operation::Execute(execute) => self.execute(active, execute, received_at).await,
            Operation::Wait(wait) => self.wait(active, wait, received_at),
            Operation::Terminate(terminate) => self.terminate(active, terminate, received_at),
            Operation::Shutdown(shutdown) => self.shutdown(active, shutdown.session_id),
        };
        if let Err(message) = done {
            self.fail(id, message);
        }
    }

    async fn open(&mut self, id: i64, open: client::Open) -> Result<(), String> {
        let session_id = open.session_id;
        if session_id.len() > MAX_ID_BYTES {
            let bytes = session_id.len();
            return Err(format!("code-mode session ID must have 1 to {MAX_ID_BYTES} bytes; it has {bytes}"));
        }
        {
            let sessions = self.sessions();
            if sessions.open.contains_key(&session_id) {
                return Err(format!("code-mode session ID `{session_id}` is already open"));
            }
            if sessions.closed.contains(&session_id) {
                return Err(format!("code-mode session ID `{session_id}` was reused"));
            }
        }
        let limits = open.cell_execution_limits.unwrap_or_default();
        let settings = Settings {
            max_yield_time: limits.max_yield_time_ms.map(Duration::from_millis),
            max_heap_bytes: limits.max_heap_size_bytes,
            truncates: open.output_truncation == Some(client::Truncation::Server),
            pending_calls: self.capacity,
        };
        let client = SessionClient { link: Arc::clone(&self.link), session_id: session_id.clone() };
        let session = self.hosting.open(Some(&session_id), Arc::new(client), &settings).await?;
        let value = Value::SessionReady { session_id: &session_id };
        self.say(&HostMessage::Response { id, result: Outcome::Ok { value } });
        session.opened();
        self.sessions().open.insert(session_id, Arc::new(session));
        Ok(())
    }

    async fn execute(
        &mut self,
        active: Active,
        execute: client::Execute,
        received_at: Instant,
    ) -> Result<(), String> {
        let session = self.session(&execute.session_id)?;
        let cell = execute.request;
        let max_tokens = cell.max_output_tokens.map(usize::try_from).transpose();
        let budget = Budget {
            received_at,
            yield_time: cell.yield_time_ms.map(Duration::from_millis),
            max_tokens: max_tokens.map_err(|error| format!("invalid code-mode execute request: {error}"))?,
        };
        let run = Run {
            call_id: cell.tool_call_id,
            execution_id: String::new(),
            tools: cell.enabled_tools.into_iter().map(tool).collect(),
            source: cell.source,
            budget,
        };
        let admitted = session.execute(run).await?;
        let value = Value::Started { cell_id: &admitted.cell.name };
        self.say(&HostMessage::Response { id: active.id, result: Outcome::Ok { value } });
        admitted.cell.announce();
        self.tasks.spawn(first_response(Arc::clone(&self.link), active, admitted));
        Ok(())
    }

    fn wait(&mut self, active: Active, wait: client::Wait, received_at: Instant) -> Result<(), String> {
        let session = self.session(&wait.session_id)?;
        let link = Arc::clone(&self.link);
        let budget = Budget {
            received_at,
            yield_time: Some(Duration::from_millis(wait.request.yield_time_ms)),
            max_tokens: wait.max_output_tokens.and_then(|tokens| usize::try_from(tokens).ok()),
        };
        self.tasks.spawn(async move {
            let signals = &active.signals;
            let answer = tokio::select! {
                biased;
                () = signals.cancel.cancelled() => Err("code-mode request cancelled".to_owned()),
                answer = session.wait(&wait.request.cell_id, budget, signals.preempt.cancelled()) => answer,
            };
            completed(&link, active, answer);
        });
        Ok(())
    }

    fn terminate(
        &mut self,
        active: Active,
        terminate: client::Terminate,
        received_at: Instant,
    ) -> Result<(), String> {
        let session = self.session(&terminate.session_id)?;
        let link = Arc::clone(&self.link);
        let max_tokens = terminate.max_output_tokens.and_then(|tokens| usize::try_from(tokens).ok());
        let budget = Budget { received_at, yield_time: None, max_tokens };
        self.tasks.spawn(async move {
            let answer = session.terminate(&terminate.cell_id, budget).await;
            completed(&link, active, answer);
        });
        Ok(())
    }

    fn shutdown(&mut self, active: Active, session_id: String) -> Result<(), String> {
        let session = self.session(&session_id)?;
        let (link, sessions) = (Arc::clone(&self.link), Arc::clone(&self.sessions));
        self.tasks.spawn(async move {
            session.shutdown().await;
            {
                let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
                if sessions.open.remove(&session_id).is_some() {
                    sessions.closed.push(session_id.clone());
                }
            }
            let value = Value::SessionClosed { session_id: &session_id };
            link.outbox.say(&HostMessage::Response { id: active.id, result: Outcome::Ok { value } }).ok();
            drop(active);
        });
        Ok(())
    }
}

fn session_of(operation: &Operation) -> &str {
    match operation {
        Operation::Open(open) => &open.session_id,
        Operation::Execute(execute) => &execute.session_id,
        Operation::Wait(wait) => &wait.session_id,
        Operation::Terminate(terminate) => &terminate.session_id,
        Operation::Shutdown(shutdown) => &shutdown.session_id,
    }
}

fn tool(definition: client::ToolDefinition) -> Tool {
    let mut origin = ToolName::new(definition.tool_name.name);
    origin.namespace = definition.tool_name.namespace;
    origin.kind = match definition.kind {
        client::ToolKind::Function => crate::service::ToolKind::Function,
        client::ToolKind::Freeform => crate::service::ToolKind::Freeform,
    };
    let (name, description) = (definition.name, definition.description);
    Tool { name, description, origin, input_schema: definition.input_schema }
}
