//! Requests to the compiler and its answers, over its standard streams.
//!
//! Two tasks belong to a connection: one reads answers, and the compiler's own questions about files; one writes. They end
//! with it, and with the first of them ends the process. Many checks may be under way at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::compiler::Compiler;
use crate::files::Files;
use crate::frame;
use crate::process::{self, CompilerProcess, Streams};

/// Messages that wait to be written. The compiler asks about a file at a time in each of its threads.
const QUEUED: usize = 1024;
/// What is kept of what a compiler complains of.
const FIRST_WORDS_BYTES: usize = 2048;
/// How long a compiler that closed its output may take to end.
const GRACE: Duration = Duration::from_secs(1);

/// A connection to a running compiler. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Vec<u8>>,
    tasks: Mutex<JoinSet<()>>,
    pid: Option<u32>,
    /// Checks that were begun over it.
    pub(crate) checks: AtomicU64,
    /// Projects that are done with; the next request about projects says so.
    pub(crate) done: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct Shared {
    files: Files,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    newest: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    /// Why no request is answered any more.
    broken: Option<String>,
}

type Answer = Result<Value, CallError>;

/// Why a request was not answered as it should be.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The compiler is gone.
    #[error("{0}")]
    Lost(String),
    /// It understood the request and failed, or did not understand it, or we its answer.
    #[error("{0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Message {
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    message: String,
}

impl Connection {
    /// Starts a compiler and exchanges the first words with it.
    pub(crate) async fn open(compiler: &Compiler, memory_bytes: u64) -> Result<Self, CallError> {
        let (process, Streams { stdin, stdout, stderr }) = CompilerProcess::start(compiler, memory_bytes)
            .map_err(|error| {
                CallError::Lost(format!("{} does not start: {error}", compiler.program().display()))
            })?;
        let pid = process.child.id();
        let shared = Arc::new(Shared { files: Files::new(compiler.folder()), state: Mutex::default() });
        let (outgoing, queued) = mpsc::channel(QUEUED);
        let mut tasks = JoinSet::new();
        let complaint = Arc::new(Mutex::new(Vec::new()));
        tasks.spawn(listen(stderr, Arc::clone(&complaint)));
        tasks.spawn(write(stdin, queued));
        tasks.spawn(read(process, stdout, Arc::clone(&shared), outgoing.clone(), complaint));
        let connection = Self {
            shared,
            outgoing,
            tasks: Mutex::new(tasks),
            pid,
            checks: AtomicU64::new(0),
            done: Mutex::default(),
        };
        connection.call::<Value>("initialize", &Value::Null).await?;
        Ok(connection)
    }

    pub(crate) fn files(&self) -> &Files {
        &self.shared.files
    }

    /// Asks the compiler something. Cancel safe: an answer that nobody waits for is dropped.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<T, CallError> {
        let (answered, answer) = oneshot::channel();
        let id = {
            let mut state = self.shared.lock();
            if let Some(why) = &state.broken {
                return Err(CallError::Lost(why.clone()));
            }
            state.newest += 1;
            let id = state.newest;
            state.waiting.insert(id, answered);
            id
        };
        let _forgotten = Forget { shared: &self.shared, id };
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let gone = || CallError::Lost(self.shared.why_broken());
        self.outgoing.send(message.to_string().into_bytes()).await.map_err(|_| gone())?;
        let result = answer.await.map_err(|_| gone())??;
        serde_json::from_value(result)
            .map_err(|error| CallError::Refused(format!("its answer to {method} is not understood: {error}")))
    }

    /// Ends the process at once, and with it every request.
    pub(crate) fn kill(&self, why: &str) {
        self.shared.break_off(why.to_owned());
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.shared.lock().broken.is_some()
    }

    /// Returns the memory that the compiler holds, where that is known.
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        self.pid.and_then(process::resident_bytes)
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Counts a check. Returns how many there were before.
    pub(crate) fn count_check(&self) -> u64 {
        self.checks.fetch_add(1, Ordering::Relaxed)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn why_broken(&self) -> String {
        self.lock().broken.clone().unwrap_or_else(|| "its process is gone".to_owned())
    }

    /// Ends every request; the first reason stays.
    fn break_off(&self, why: String) {
        let mut state = self.lock();
        let why = state.broken.get_or_insert(why).clone();
        for (_, waiting) in state.waiting.drain() {
            // Nobody may wait for it any more.
            let _unheard = waiting.send(Err(CallError::Lost(why.clone())));
        }
    }

    /// Takes a message of the compiler's. Returns what to answer.
    fn take(&self, message: Message) -> Option<Value> {
        let Message { id, method, params, result, error } = message;
        let Some(method) = method else {
            let waiting =
                id.as_ref().and_then(Value::as_u64).and_then(|id| self.lock().waiting.remove(&id))?;
            let answer = error.map_or(Ok(result), |fault| Err(CallError::Refused(fault.message)));
            let _unheard = waiting.send(answer);
            return None;
        };
        let id = id?;
        let answer = params.as_str().and_then(|path| self.files.answer(&method, path));
        Some(answer.map_or_else(
            || json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no such method" } }),
            |result| json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        ))
    }
}

/// Takes back a request that is answered, or that nobody waits for any more.
struct Forget<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.lock().waiting.remove(&self.id);
    }
}

/// Ends every request when the task that reads answers ends, whatever ends it.
struct Unread(Arc<Shared>);

impl Drop for Unread {
    fn drop(&mut self) {
        self.0.break_off("its process was ended".to_owned());
    }
}

async fn read(
    mut process: CompilerProcess,
    stdout: ChildStdout,
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Vec<u8>>,
    complaint: Arc<Mutex<Vec<u8>>>,
) {
    let unread = Unread(shared);
    let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
    let broken = loop {
        match frame::read(&mut stdout).await {
            Ok(message) => {
                if let Some(answer) = unread.0.take(message)
                    && outgoing.send(answer.to_string().into_bytes()).await.is_err()
                {
                    break "it closed its input".to_owned();
                }
            }
            Err(error) => break error.to_string(),
        }
    };
    let ended = match timeout(GRACE, process.child.wait()).await {
        Ok(Ok(status)) => format!(" ({status})"),
        Ok(Err(_)) | Err(_) => String::new(),
    };
    let words = {
        let words = complaint.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&words)
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    };
    let words = words.map_or_else(String::new, |words| format!(": {words}"));
    unread.0.break_off(format!("{broken}{ended}{words}"));
}

/// Writes what is queued. Closing the compiler's input, which the end of this does, ends the compiler.
async fn write(mut stdin: ChildStdin, mut queued: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = queued.recv().await {
        if frame::write(&mut stdin, &message).await.is_err() {
            return;
        }
    }
}

/// Keeps the first of what the compiler says on standard error: of a fault in it, that names the cause.
async fn listen(mut stderr: ChildStderr, complaint: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let mut words = complaint.lock().unwrap_or_else(PoisonError::into_inner);
        let room = FIRST_WORDS_BYTES.saturating_sub(words.len());
        words.extend(buffer.iter().take(read.min(room)));
    }
}
