//! A client of either transport, in words of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};

use crate::grpc::Grpc;
use crate::json::Json;

/// Longer than anything here takes on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program of the tests: this project's, unless `CARREL_CODEX_HOST` names another.
pub(crate) fn program() -> String {
    std::env::var("CARREL_CODEX_HOST")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_codex-code-mode-host").to_owned())
}

/// Waits for what has to come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it comes")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Json,
    Grpc,
}

/// Runs a test over each transport.
macro_rules! over_both {
    ($($(#[$doc:meta])* async fn $name:ident($start:ident) $body:block)+) => {
        $(
            $(#[$doc])*
            mod $name {
                use super::*;

                async fn behaves($start: crate::peer::Start) $body

                #[tokio::test]
                async fn json() {
                    Box::pin(behaves(crate::peer::Start::new(crate::peer::Transport::Json))).await;
                }

                #[tokio::test]
                async fn grpc() {
                    Box::pin(behaves(crate::peer::Start::new(crate::peer::Transport::Grpc))).await;
                }
            }
        )+
    };
}
pub(crate) use over_both;

/// How a host is started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// The program of this build, or another that speaks the protocol.
    pub(crate) program: PathBuf,
    pub(crate) transport: Transport,
    pub(crate) args: Vec<String>,
}

impl Start {
    pub(crate) fn new(transport: Transport) -> Self {
        let args = match transport {
            Transport::Json => Vec::new(),
            Transport::Grpc => vec!["--listen".to_owned(), "grpc+stdio://".to_owned()],
        };
        Self { program: program().into(), transport, args }
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) async fn host(&self) -> Host {
        let (stdin, stdout) = (Stdio::piped(), Stdio::piped());
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_remove("CARREL_CODEX_DATA").env_remove("CARREL_CODEX_CLIENT");
        let mut child =
            command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let driver = match self.transport {
            Transport::Json => Driver::Json(Json::begin(input, output).await),
            Transport::Grpc => Driver::Grpc(Grpc::begin(tokio::io::join(output, input)).await),
        };
        Host { child, driver }
    }

    /// Starts a host with a session of which nothing is asked but that it cuts output.
    pub(crate) async fn session(&self) -> (Host, Session) {
        let host = self.host().await;
        let session = host.open("s1", Opening { truncates: true, ..Opening::default() }).await.unwrap();
        (host, session)
    }
}

pub(crate) struct Host {
    pub(crate) child: Child,
    driver: Driver,
}

#[derive(Clone)]
pub(crate) enum Driver {
    Json(Arc<Json>),
    Grpc(Arc<Grpc>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Opening {
    pub(crate) max_yield_ms: Option<u64>,
    pub(crate) max_heap_bytes: Option<u64>,
    pub(crate) truncates: bool,
    pub(crate) capacity: u32,
}

impl Host {
    pub(crate) async fn open(&self, name: &str, opening: Opening) -> Result<Session, String> {
        let (sink, events) = Sink::new();
        let id = match &self.driver {
            Driver::Json(json) => soon(json.open(name, opening, sink)).await?,
            Driver::Grpc(grpc) => soon(grpc.open(opening, sink)).await?,
        };
        Ok(Session { id, driver: self.driver.clone(), events: Arc::new(events) })
    }

    /// Kills it as a crash would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Closes its stdin and returns its exit code.
    pub(crate) async fn leave(mut self) -> Option<i32> {
        match self.driver {
            Driver::Json(json) => json.close().await,
            Driver::Grpc(grpc) => grpc.close().await,
        }
        soon(self.child.wait()).await.unwrap().code()
    }
}

/// Where a driver puts what a session hears.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) calls: mpsc::UnboundedSender<Call>,
    pub(crate) notices: mpsc::UnboundedSender<Notice>,
    pub(crate) cancelled: mpsc::UnboundedSender<String>,
    pub(crate) closed: mpsc::UnboundedSender<String>,
}

pub(crate) struct Events {
    calls: Mutex<mpsc::UnboundedReceiver<Call>>,
    notices: Mutex<mpsc::UnboundedReceiver<Notice>>,
    cancelled: Mutex<mpsc::UnboundedReceiver<String>>,
    closed: Mutex<mpsc::UnboundedReceiver<String>>,
}

impl Sink {
    fn new() -> (Self, Events) {
        let ((calls, c), (notices, n)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let ((cancelled, x), (closed, d)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let events = Events { calls: c.into(), notices: n.into(), cancelled: x.into(), closed: d.into() };
        (Self { calls, notices, cancelled, closed }, events)
    }
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) cell: String,
    pub(crate) call_id: String,
    pub(crate) tool: Tool,
    pub(crate) input: Option<Value>,
}

/// A message of a cell's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) cell: String,
    pub(crate) call_id: String,
    pub(crate) text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) is_freeform: bool,
}

pub(crate) fn tool(name: &str) -> Tool {
    Tool { name: name.to_owned(), namespace: None, is_freeform: false }
}

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) source: String,
    /// What cells call it, and what the client does.
    pub(crate) tools: Vec<(String, Tool)>,
    pub(crate) yield_ms: Option<u64>,
    pub(crate) tokens: Option<u32>,
    pub(crate) call_id: String,
}

pub(crate) fn run(source: &str) -> Run {
    let call_id = "call_1".to_owned();
    Run { source: source.to_owned(), tools: Vec::new(), yield_ms: Some(30_000), tokens: None, call_id }
}

impl Run {
    pub(crate) fn with(mut self, names: &[&str]) -> Self {
        self.tools.extend(names.iter().map(|name| ((*name).to_owned(), tool(name))));
        self
    }

    pub(crate) fn yielding(mut self, ms: u64) -> Self {
        self.yield_ms = Some(ms);
        self
    }

    pub(crate) fn tokens(mut self, tokens: u32) -> Self {
        self.tokens = Some(tokens);
        self
    }
}

/// What was seen of a cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) cell: String,
    pub(crate) state: State,
    pub(crate) items: Vec<Item>,
    pub(crate) is_missing: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    Yielded,
    Terminated,
    Completed { error: Option<String> },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Text(String),
    Image(String, String),
    Audio(String),
}

impl Seen {
    /// Its texts.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        for item in &self.items {
            if let Item::Text(text) = item {
                texts.push(text.as_str());
            }
        }
        texts
    }

    pub(crate) fn error(&self) -> Option<&str> {
        match &self.state {
            State::Completed { error } => error.as_deref(),
            _ => None,
        }
    }

    /// The texts of a cell that came to its end well.
    pub(crate) fn done(&self) -> Vec<&str> {
        assert_eq!(self.state, State::Completed { error: None }, "{self:?}");
        self.texts()
    }

    pub(crate) fn yielded(&self) -> Vec<&str> {
        assert_eq!(self.state, State::Yielded, "{self:?}");
        self.texts()
    }

    pub(crate) fn terminated(&self) -> Vec<&str> {
        assert_eq!(self.state, State::Terminated, "{self:?}");
        self.texts()
    }
}

#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    driver: Driver,
    events: Arc<Events>,
}

/// A cell that was admitted.
pub(crate) struct Started {
    pub(crate) cell: String,
    /// By what the request is yielded or cancelled.
    pub(crate) request: String,
    first: tokio::task::JoinHandle<Result<Seen, String>>,
}

impl Started {
    pub(crate) fn new(
        cell: String,
        request: String,
        first: tokio::task::JoinHandle<Result<Seen, String>>,
    ) -> Self {
        Self { cell, request, first }
    }

    pub(crate) async fn first(self) -> Seen {
        self.answer().await.unwrap()
    }

    pub(crate) async fn answer(self) -> Result<Seen, String> {
        soon(self.first).await.unwrap()
    }
}

/// A request on its way.
pub(crate) struct Asked {
    pub(crate) request: String,
    answer: tokio::task::JoinHandle<Result<Seen, String>>,
}

impl Asked {
    pub(crate) fn new(request: String, answer: tokio::task::JoinHandle<Result<Seen, String>>) -> Self {
        Self { request, answer }
    }

    pub(crate) async fn seen(self) -> Seen {
        self.answer().await.unwrap()
    }

    pub(crate) async fn answer(self) -> Result<Seen, String> {
        soon(self.answer).await.unwrap()
    }
}

impl Session {
    pub(crate) async fn try_start(&self, run: Run) -> Result<Started, String> {
        match &self.driver {
            Driver::Json(json) => soon(json.execute(&self.id, run)).await,
            Driver::Grpc(grpc) => soon(grpc.execute(&self.id, run)).await,
        }
    }

    pub(crate) async fn start(&self, run: Run) -> Started {
        self.try_start(run).await.unwrap()
    }

    /// Runs a cell and returns its first response.
    pub(crate) async fn run(&self, run: Run) -> Seen {
        self.start(run).await.first().await
    }

    pub(crate) async fn ask_wait(&self, cell: &str, ms: u64, tokens: Option<u32>) -> Asked {
        match &self.driver {
            Driver::Json(json) => json.wait(&self.id, cell, ms, tokens).await,
            Driver::Grpc(grpc) => grpc.wait(&self.id, cell, ms, tokens).await,
        }
    }

    pub(crate) async fn wait(&self, cell: &str, ms: u64) -> Seen {
        self.ask_wait(cell, ms, None).await.seen().await
    }

    pub(crate) async fn ask_terminate(&self, cell: &str) -> Asked {
        match &self.driver {
            Driver::Json(json) => json.terminate(&self.id, cell).await,
            Driver::Grpc(grpc) => grpc.terminate(&self.id, cell).await,
        }
    }

    pub(crate) async fn terminate(&self, cell: &str) -> Seen {
        self.ask_terminate(cell).await.seen().await
    }

    pub(crate) async fn preempt(&self, request: &str) {
        match &self.driver {
            Driver::Json(json) => json.preempt(request).await,
            Driver::Grpc(grpc) => grpc.preempt(&self.id, request).await,
        }
    }

    /// Gives up a wait.
    pub(crate) async fn cancel(&self, request: &str) {
        match &self.driver {
            Driver::Json(json) => json.cancel(request).await,
            Driver::Grpc(grpc) => grpc.cancel(&self.id, request).await,
        }
    }

    pub(crate) async fn shutdown(&self) -> Result<(), String> {
        match &self.driver {
            Driver::Json(json) => soon(json.shutdown(&self.id)).await,
            Driver::Grpc(grpc) => soon(grpc.shutdown(&self.id)).await,
        }
    }

    pub(crate) async fn call(&self) -> Call {
        self.try_call().await.unwrap()
    }

    /// Returns the next call; `None` when the host is gone.
    pub(crate) async fn try_call(&self) -> Option<Call> {
        soon(async { self.events.calls.lock().await.recv().await }).await
    }

    pub(crate) async fn notice(&self) -> Notice {
        soon(async { self.events.notices.lock().await.recv().await }).await.unwrap()
    }

    pub(crate) async fn cancelled(&self) -> String {
        soon(async { self.events.cancelled.lock().await.recv().await }).await.unwrap()
    }

    pub(crate) async fn closed(&self) -> String {
        soon(async { self.events.closed.lock().await.recv().await }).await.unwrap()
    }

    pub(crate) async fn answer(&self, call: &Call, outcome: Result<Value, &str>) {
        match &self.driver {
            Driver::Json(json) => json.answer(&call.id, outcome).await,
            Driver::Grpc(grpc) => grpc.try_answer(&self.id, &call.id, outcome).await.unwrap(),
        }
    }

    pub(crate) async fn acknowledge(&self, notice: &Notice) {
        match &self.driver {
            Driver::Json(json) => json.acknowledge(&notice.id).await,
            Driver::Grpc(grpc) => grpc.acknowledge(&self.id, &notice.id).await,
        }
    }
}
