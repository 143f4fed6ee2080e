//! A connection: reads what the client says, in order, and has it done.
//!
//! What is quick is done before the next message is read, so that cells get their numbers in the order of the requests.
//! Whatever waits is a task of the connection's, and a task that panics ends it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::{self, ClientMessage, Operation};
use super::frame::{self, TooLong};
use super::hello::{self, VERSION};
use super::host::{HostMessage, Looked, Observed, Outcome, Rejection, Value};
use super::link::{Link, SessionClient};
use super::outbox::Outbox;
use super::requests::{Active, Requests};
use crate::Hosting;
use crate::recent::Recent;
use crate::service::{Admitted, Answer, Budget, Run, Session, Settings, Ticket, Tool, ToolName, Waited};

/// Why a connection ended that should not have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The first message is none.
    #[error("failed to read code-mode client hello\n\nCaused by:\n    {0}")]
    Hello(String),
    /// A later one is none.
    #[error("failed to read code-mode client message\n\nCaused by:\n    {0}")]
    Message(String),
    /// The client began again.
    #[error("received a second code-mode client hello")]
    SecondHello,
    /// A request has the name of another.
    #[error("duplicate code-mode request ID RequestId({0})")]
    DuplicateRequest(i64),
    /// A task panicked.
    #[error("a code-mode task panicked")]
    Panicked,
    /// Nothing can be written.
    #[error("failed to write a code-mode host message: {0}")]
    Write(#[source] io::Error),
}

/// Serves a client until it closes its side, or cannot be understood.
///
/// # Errors
/// [`ConnectionError`]: what the client said that nobody may, or how the connection failed.
pub async fn serve(
    hosting: Arc<Hosting>,
    mut input: impl AsyncRead + Unpin + Send,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> Result<(), ConnectionError> {
    let (outbox, pump) = Outbox::new();
    let mut writing = JoinSet::new();
    writing.spawn(pump.run(output));
    let served = tokio::select! {
        served = converse(hosting, &mut input, outbox) => served,
        written = writing.join_next() => return match written {
            Some(Ok(Err(error))) => Err(ConnectionError::Write(error)),
            _ => Err(ConnectionError::Panicked),
        },
    };
    // What was said last, a rejection for example, is on its way, unless the client does not read at all.
    drop(tokio::time::timeout(Duration::from_millis(100), writing.join_next()).await);
    served
}

async fn converse(
    hosting: Arc<Hosting>,
    input: &mut (impl AsyncRead + Unpin),
    outbox: Outbox,
) -> Result<(), ConnectionError> {
    let invalid =
        |error: String| ConnectionError::Hello(format!("failed to decode code-mode IPC frame: {error}"));
    let first = frame::read(input).await.map_err(|error| ConnectionError::Hello(error.to_string()))?;
    let Some(first) = first else { return Ok(()) };
    let agreed = match serde_json::from_slice(&first).map_err(|error| invalid(error.to_string()))? {
        ClientMessage::Hello(hello) => {
            hello::check(&hello).map_err(invalid)?;
            hello::agree(&hello)
        }
        _ => Err(Rejection::InvalidHello { message: "first message must be connection/hello" }),
    };
    let agreed = match agreed {
        Ok(agreed) => agreed,
        Err(reason) => {
            say(&outbox, &HostMessage::Rejected { reason });
            return Ok(());
        }
    };
    say(&outbox, &HostMessage::Ready { selected_version: VERSION, capabilities: &agreed.capabilities });
    let mut connection = Connection {
        hosting,
        link: Arc::new(Link::new(outbox, agreed.capacity)),
        capacity: agreed.capacity,
        requests: Requests::default(),
        sessions: Arc::default(),
        tasks: JoinSet::new(),
    };
    // A frame is read in pieces, and a task may end between two of them.
    let mut reading = Box::pin(frame::read(input));
    loop {
        tokio::select! {
            frame = &mut reading => {
                drop(reading);
                let frame = frame.map_err(|error| ConnectionError::Message(error.to_string()))?;
                let Some(frame) = frame else { return Ok(()) };
                connection.take(&frame).await?;
                reading = Box::pin(frame::read(input));
            }
            Some(ended) = connection.tasks.join_next() => ended.map_err(|_| ConnectionError::Panicked)?,
        }
    }
}

/// Queues a message that always fits a frame.
fn say(outbox: &Outbox, message: &HostMessage<'_>) {
    outbox.send_now(message).ok();
}

struct Connection {
    hosting: Arc<Hosting>,
    link: Arc<Link>,
    capacity: usize,
    requests: Requests,
    sessions: Arc<Mutex<Sessions>>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct Sessions {
    open: HashMap<String, Arc<Session>>,
    /// Ids that must not come again.
    closed: Recent<String>,
}

impl Connection {
    async fn take(&mut self, frame: &[u8]) -> Result<(), ConnectionError> {
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
        say(&self.link.outbox, &HostMessage::Response { id, result: Outcome::Error { message } });
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
        say(&self.link.outbox, &HostMessage::Response { id, result: Outcome::Ok { value } });
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
        say(&self.link.outbox, &HostMessage::Response { id: active.id, result: Outcome::Ok { value } });
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
            completed(&link, active, answer).await;
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
            completed(&link, active, answer).await;
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
            say(&link.outbox, &HostMessage::Response { id: active.id, result: Outcome::Ok { value } });
            drop(active);
        });
        Ok(())
    }
}

/// Answers the request for a cell a second time. A request that is cancelled gives its observation up; the cell goes on.
async fn first_response(link: Arc<Link>, active: Active, admitted: Admitted) {
    let signals = &active.signals;
    let answer = tokio::select! {
        biased;
        () = signals.cancel.cancelled() => Err("code-mode request cancelled".to_owned()),
        answer = admitted.respond(signals.preempt.cancelled()) => answer,
    };
    let id = active.id;
    let result = match &answer {
        Ok(Answer { waited: Waited::Live(response) | Waited::Missing(response), .. }) => {
            Outcome::Ok { value: Observed::from(response) }
        }
        Err(message) => Outcome::Error { message: message.clone() },
    };
    let frame = frame::encode(&HostMessage::InitialResponse { id, result }).or_else(|too_long: TooLong| {
        let message = format!("code-mode initial response exceeds the IPC frame limit: {too_long}");
        frame::encode(&HostMessage::InitialResponse { id, result: Outcome::Error { message } })
    });
    deliver(&link, frame, answer, active).await;
}

/// Sends an answer, and says so to whoever keeps account of it.
async fn deliver(
    link: &Link,
    frame: Result<Vec<u8>, TooLong>,
    answer: Result<Answer, String>,
    active: Active,
) {
    let Ok(frame) = frame else { return };
    let ticket = answer.ok().and_then(|answer| answer.ticket).map(Ticket::deliver);
    drop(active);
    link.outbox.send(frame).await.ok();
    drop(ticket);
}

/// Answers the request for a look at a cell, or for its end.
async fn completed(link: &Link, active: Active, answer: Result<Answer, String>) {
    let id = active.id;
    let result = match &answer {
        Ok(answer) => Outcome::Ok { value: Value::WaitCompleted { outcome: Looked::from(&answer.waited) } },
        Err(message) => Outcome::Error { message: message.clone() },
    };
    let frame = frame::encode(&HostMessage::Response { id, result }).or_else(|too_long: TooLong| {
        let message = format!("code-mode host response exceeds the IPC frame limit: {too_long}");
        frame::encode(&HostMessage::Response { id, result: Outcome::Error { message } })
    });
    deliver(link, frame, answer, active).await;
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
