//! The client of the gRPC protocol: HTTP/2 by hand, so that what a connection carries is seen.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf as _, Bytes, BytesMut};
use carrel_codex::grpc::messages as m;
use h2::RecvStream;
use h2::client::SendRequest;
use prost::Message;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::peer::{Asked, Call, Item, Notice, Opening, Run, Seen, Sink, Started, State, Tool};

pub(crate) struct Grpc {
    requests: Mutex<Option<SendRequest<Bytes>>>,
    last_id: AtomicU64,
    streams: Mutex<Vec<JoinHandle<()>>>,
    connection: JoinHandle<()>,
}

/// What a method streams.
pub(crate) struct Answers<M> {
    body: RecvStream,
    read: BytesMut,
    kind: PhantomData<M>,
}

impl<M: Message + Default> Answers<M> {
    /// Returns the next message; `None` at the end of a stream that ended well.
    pub(crate) async fn next(&mut self) -> Result<Option<M>, String> {
        loop {
            if let Some(length) =
                self.read.get(1..5).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()) as usize)
                && self.read.len() >= 5 + length
            {
                self.read.advance(5);
                return Ok(Some(M::decode(self.read.split_to(length)).unwrap()));
            }
            match self.body.data().await {
                Some(Ok(data)) => {
                    self.body.flow_control().release_capacity(data.len()).unwrap();
                    self.read.extend_from_slice(&data);
                }
                Some(Err(error)) => return Err(error.to_string()),
                None => {
                    let trailers = self.body.trailers().await.map_err(|error| error.to_string())?;
                    return status_of(&trailers.unwrap_or_default()).map(|()| None);
                }
            }
        }
    }
}

/// Reads a status, which is 0 when all is well.
fn status_of(headers: &http::HeaderMap) -> Result<(), String> {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    match header("grpc-status").as_deref() {
        None | Some("0") => Ok(()),
        Some(code) => {
            let message = header("grpc-message").unwrap_or_default().replace("%20", " ").replace("%60", "`");
            Err(format!("{code}: {message}"))
        }
    }
}

impl Grpc {
    pub(crate) async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Arc<Self> {
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(16 << 20).initial_connection_window_size(64 << 20);
        let (requests, connection) = builder.handshake(stream).await.unwrap();
        let connection = tokio::spawn(async move {
            connection.await.ok();
        });
        let (requests, streams) = (Mutex::new(Some(requests)), Mutex::default());
        Arc::new(Self { requests, last_id: AtomicU64::new(0), streams, connection })
    }

    pub(crate) async fn close(&self) {
        self.requests.lock().await.take();
        for stream in self.streams.lock().await.drain(..) {
            stream.abort();
        }
        self.connection.abort();
    }

    /// Begins a call and returns the headers of its answer, and what it streams.
    pub(crate) async fn stream<M: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<(http::HeaderMap, Answers<M>), String> {
        let gone = |error: &dyn std::fmt::Display| format!("the host is gone: {error}");
        let requests = self.requests.lock().await.clone().ok_or_else(|| gone(&"closed"))?;
        let mut requests = requests.ready().await.map_err(|error| gone(&error))?;
        let head =
            http::Request::post(format!("http://code-mode-host/codex.code_mode.v1.CodeModeHost/{method}"))
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .body(())
                .unwrap();
        let (response, mut body) = requests.send_request(head, false).map_err(|error| gone(&error))?;
        let message = request.encode_to_vec();
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend(message);
        body.send_data(frame.into(), true).map_err(|error| gone(&error))?;
        let response = response.await.map_err(|error| gone(&error))?;
        status_of(response.headers())?;
        let (head, body) = response.into_parts();
        Ok((head.headers, Answers { body, read: BytesMut::new(), kind: PhantomData }))
    }

    pub(crate) async fn unary<M: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<(http::HeaderMap, M), String> {
        let (headers, mut answers) = self.stream(method, request).await?;
        let answer = answers.next().await?.unwrap();
        assert!(answers.next().await?.is_none());
        Ok((headers, answer))
    }

    async fn empty(&self, method: &str, request: &impl Message) -> Result<(), String> {
        self.unary::<m::Empty>(method, request).await.map(drop)
    }

    pub(crate) fn draw(&self) -> String {
        format!("id-{}", self.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) async fn open(&self, opening: Opening, sink: Sink) -> Result<String, String> {
        let limits = m::SessionCellExecutionLimits {
            max_yield_time_ms: opening.max_yield_ms,
            max_heap_size_bytes: opening.max_heap_bytes,
        };
        let request = m::OpenSessionRequest {
            cell_execution_limits: Some(limits),
            output_truncation: if opening.truncates { 2 } else { 0 },
            max_pending_delegate_calls: opening.capacity,
        };
        let (_, mut events) = self.stream::<m::SessionEvent>("OpenSession", &request).await?;
        let opened = events.next().await?.unwrap();
        let Some(m::SessionEventEvent::Opened(opened)) = opened.event else { panic!("{opened:?}") };
        let session_id = opened.session_id.clone();
        let subscribe =
            m::SubscribeToToolCallsRequest { session_id: session_id.clone(), tool_names: Vec::new() };
        let (_, mut calls) = self.stream::<m::ToolCall>("SubscribeToToolCalls", &subscribe).await?;
        let heard = sink.clone();
        let events = tokio::spawn(async move {
            while let Ok(Some(event)) = events.next().await {
                match event.event.unwrap() {
                    m::SessionEventEvent::Notification(it) => {
                        let (id, cell, call_id) = (it.notification_id, it.cell_id, it.call_id);
                        heard.notices.send(Notice { id, cell, call_id, text: it.text }).ok();
                    }
                    m::SessionEventEvent::ToolCallCancelled(it) => {
                        heard.cancelled.send(it.invocation_id).ok();
                    }
                    m::SessionEventEvent::CellClosed(it) => {
                        heard.closed.send(it.cell_id).ok();
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
        let calls = tokio::spawn(async move {
            while let Ok(Some(it)) = calls.next().await {
                let name = it.tool_name.unwrap();
                let tool = Tool { name: name.name, namespace: name.namespace, is_freeform: it.kind == 2 };
                let input = it.input_json.map(|json| serde_json::from_slice(&json).unwrap());
                let (id, cell, call_id) = (it.invocation_id, it.cell_id, it.runtime_tool_call_id);
                sink.calls.send(Call { id, cell, call_id, tool, input }).ok();
            }
        });
        self.streams.lock().await.extend([events, calls]);
        Ok(session_id)
    }

    pub(crate) fn request(&self, session: &str, run: Run) -> m::ExecuteRequest {
        let tools = run.tools.into_iter().map(|(name, tool)| m::ToolDefinition {
            name,
            tool_name: Some(m::ToolName { name: tool.name, namespace: tool.namespace }),
            kind: if tool.is_freeform { 2 } else { 1 },
            ..m::ToolDefinition::default()
        });
        m::ExecuteRequest {
            session_id: session.to_owned(),
            execution_id: self.draw(),
            tool_call_id: run.call_id,
            source: run.source,
            enabled_tools: tools.collect(),
            yield_time_ms: run.yield_ms,
            max_output_tokens: run.tokens.map(u64::from),
        }
    }

    pub(crate) async fn execute(&self, session: &str, run: Run) -> Result<Started, String> {
        let request = self.request(session, run);
        let (_, mut events) = self.stream::<m::ExecuteEvent>("Execute", &request).await?;
        let started = events.next().await?.unwrap();
        let Some(m::ExecuteEventEvent::Started(started)) = started.event else { panic!("{started:?}") };
        assert_eq!(started.execution_id, request.execution_id);
        let first = tokio::spawn(async move {
            let outcome =
                events.next().await?.ok_or_else(|| "the stream ended without an outcome".to_owned())?;
            let Some(m::ExecuteEventEvent::Outcome(outcome)) = outcome.event else { panic!("{outcome:?}") };
            assert_eq!(events.next().await?, None);
            Ok(seen(outcome, false))
        });
        Ok(Started::new(started.cell_id, format!("e{}", request.execution_id), first))
    }

    pub(crate) async fn wait(
        self: &Arc<Self>,
        session: &str,
        cell: &str,
        ms: u64,
        tokens: Option<u32>,
    ) -> Asked {
        let request = m::WaitRequest {
            session_id: session.to_owned(),
            cell_id: cell.to_owned(),
            wait_id: self.draw(),
            yield_time_ms: ms,
            max_output_tokens: tokens.map(u64::from),
        };
        let (this, id) = (Arc::clone(self), format!("w{}", request.wait_id));
        Asked::new(id, tokio::spawn(async move { this.look("Wait", request).await }))
    }

    pub(crate) async fn terminate(self: &Arc<Self>, session: &str, cell: &str) -> Asked {
        let (session_id, cell_id) = (session.to_owned(), cell.to_owned());
        let request = m::TerminateRequest { session_id, cell_id, max_output_tokens: None };
        let this = Arc::clone(self);
        Asked::new(String::new(), tokio::spawn(async move { this.look("Terminate", request).await }))
    }

    async fn look(&self, method: &str, request: impl Message) -> Result<Seen, String> {
        let (headers, response) = self.unary::<m::WaitResponse>(method, &request).await?;
        let seen = match response.state.unwrap() {
            m::WaitResponseState::Live(outcome) => seen(outcome, false),
            m::WaitResponseState::Missing(outcome) => seen(outcome, true),
        };
        let is_result = !seen.is_missing && matches!(seen.state, State::Completed { .. });
        assert_eq!(headers.contains_key("codex-code-mode-result-buffered-for-ns"), is_result);
        Ok(seen)
    }

    pub(crate) async fn shutdown(&self, session: &str) -> Result<(), String> {
        self.empty("CloseSession", &m::CloseSessionRequest { session_id: session.to_owned() }).await
    }

    pub(crate) async fn preempt(&self, session: &str, request: &str) {
        let id = request[1..].to_owned();
        let observation = match &request[..1] {
            "e" => m::YieldObservationRequestObservation::ExecutionId(id),
            _ => m::YieldObservationRequestObservation::WaitId(id),
        };
        let request =
            m::YieldObservationRequest { session_id: session.to_owned(), observation: Some(observation) };
        self.empty("YieldObservation", &request).await.unwrap();
    }

    pub(crate) async fn cancel(&self, session: &str, request: &str) {
        let request =
            m::CancelWaitRequest { session_id: session.to_owned(), wait_id: request[1..].to_owned() };
        self.empty("CancelWait", &request).await.unwrap();
    }

    pub(crate) async fn try_answer(
        &self,
        session: &str,
        call: &str,
        outcome: Result<Value, &str>,
    ) -> Result<(), String> {
        use m::CompleteToolCallRequestOutcome as Outcome;
        let outcome = match outcome {
            Ok(value) => {
                Outcome::Succeeded(m::ToolCallSucceeded { output_json: value.to_string().into_bytes() })
            }
            Err(message) => Outcome::Failed(m::ToolCallFailed { message: message.to_owned() }),
        };
        let (session_id, invocation_id) = (session.to_owned(), call.to_owned());
        let request = m::CompleteToolCallRequest { session_id, invocation_id, outcome: Some(outcome) };
        self.empty("CompleteToolCall", &request).await
    }

    pub(crate) async fn acknowledge(&self, session: &str, notice: &str) {
        let (session_id, notification_id) = (session.to_owned(), notice.to_owned());
        let request = m::AcknowledgeNotificationRequest { session_id, notification_id };
        self.empty("AcknowledgeNotification", &request).await.unwrap();
    }
}

pub(crate) fn seen(outcome: m::ExecutionOutcome, is_missing: bool) -> Seen {
    use m::{ContentItemItem as Kind, ExecutionOutcomeOutcome as Outcome};
    assert!(outcome.code_mode_host_duration_ns.is_some());
    let state = match outcome.outcome.unwrap() {
        Outcome::Yielded(_) => State::Yielded,
        Outcome::Terminated(_) => State::Terminated,
        Outcome::Completed(completed) => State::Completed { error: completed.error_text },
    };
    let item = |item: m::ContentItem| match item.item.unwrap() {
        Kind::Text(it) => Item::Text(it.text),
        Kind::Image(it) => {
            let names = ["", "auto", "low", "high", "original"];
            Item::Image(it.image_url, names[usize::try_from(it.detail.unwrap()).unwrap()].to_owned())
        }
        Kind::Audio(it) => Item::Audio(it.audio_url),
    };
    let items = outcome.content_items.into_iter().map(item).collect();
    Seen { cell: outcome.cell_id, state, items, is_missing }
}
