//! Host processes, found and hurt.

use std::fs;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CellResponse, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate,
    CodeModeSessionProvider, ExecuteRequest, JsonText, Notification, SessionSpec, ToolCall, ToolDescription,
    ToolError, ToolHints, ToolName,
};
use carrel_host::{HostCommand, ProcessOptions};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);
/// A process that is to end has ended by then.
const ENDS: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

pub(crate) fn options() -> ProcessOptions {
    let mut options = ProcessOptions::new(HostCommand::carrel(env!("CARGO_BIN_EXE_carrel")));
    // The machine may be busy with other tests.
    options.handshake = Duration::from_secs(60);
    options.patience = Duration::from_secs(60);
    options
}

/// A process, by a descriptor: nobody who has its number later is taken for it.
pub(crate) struct Process(OwnedFd);

impl Process {
    /// Sends it a signal. One that has ended hears of it no more.
    pub(crate) fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.0, signal).ok();
    }

    /// Waits for it to end.
    pub(crate) fn ends(&self) {
        let ended = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&ENDS)).unwrap();
        assert_eq!(ended, 1, "the process is still there");
    }
}

/// Returns the children of a process that have not ended.
pub(crate) fn children(parent: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            // Whose child it is, is asked when the number cannot become another's any more without the descriptor's telling.
            let process = Process(pidfd_open(pid, PidfdFlags::empty()).ok()?);
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?;
            let of_parent = fields.next()?.parse() == Ok(parent);
            let is_there =
                poll(&mut [PollFd::new(&process.0, PollFlags::IN)], Some(&Timespec::default())) == Ok(0);
            (of_parent && state != "Z" && is_there).then_some(process)
        })
        .collect()
}

/// Returns the hosts of this process.
pub(crate) fn hosts() -> Vec<Process> {
    children(std::process::id())
}

/// Sends a signal to all hosts of this process.
pub(crate) fn signal_hosts(signal: Signal) -> Vec<Process> {
    let hosts = hosts();
    hosts.iter().for_each(|host| host.signal(signal));
    hosts
}

/// What a test does with a call: gets the tool and the input.
type Perform =
    Box<dyn Fn(&str, Option<JsonText>) -> CodeModeFuture<'static, JsonText, ToolError> + Send + Sync>;

/// A delegate whose tools the test performs.
pub(crate) struct Tools {
    perform: Perform,
    pub(crate) calls: Mutex<Vec<String>>,
    pub(crate) closed: Mutex<Vec<CellId>>,
    /// Whether notifications are acknowledged.
    acknowledges: bool,
    pub(crate) notified: Mutex<usize>,
}

impl Tools {
    pub(crate) fn new(
        perform: impl Fn(&str, Option<JsonText>) -> CodeModeFuture<'static, JsonText, ToolError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            perform: Box::new(perform),
            calls: Mutex::default(),
            closed: Mutex::default(),
            acknowledges: true,
            notified: Mutex::default(),
        }
    }

    pub(crate) fn without_acknowledgements(mut self) -> Self {
        self.acknowledges = false;
        self
    }

    /// Tools that return their input.
    pub(crate) fn echo() -> Self {
        Self::new(|_, input| Box::pin(async move { Ok(input.unwrap_or_else(null)) }))
    }
}

pub(crate) fn null() -> JsonText {
    JsonText::from_value(&serde_json::Value::Null)
}

impl CodeModeSessionDelegate for Tools {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        self.calls.lock().unwrap().push(call.idempotency_key());
        let performed = (self.perform)(call.tool.as_str(), call.input);
        Box::pin(async move {
            tokio::select! {
                performed = performed => performed,
                () = cancel.cancelled() => Ok(null()),
            }
        })
    }

    fn notify(&self, _: Notification, cancel: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        *self.notified.lock().unwrap() += 1;
        Box::pin(async move {
            if !self.acknowledges {
                cancel.cancelled().await;
            }
            Ok(())
        })
    }

    fn cell_closed(&self, cell_id: &CellId) {
        self.closed.lock().unwrap().push(cell_id.clone());
    }
}

/// A specification with tools that may be called again.
pub(crate) fn spec(names: &[&str]) -> SessionSpec {
    let mut spec = SessionSpec::default();
    let mut hints = ToolHints::default();
    hints.idempotent = true;
    spec.tools = names
        .iter()
        .map(|name| ToolDescription::new(ToolName::new(name).unwrap(), "").with_hints(hints))
        .collect();
    spec
}

pub(crate) async fn session(
    provider: &impl CodeModeSessionProvider,
    delegate: &Arc<Tools>,
) -> Arc<dyn CodeModeSession> {
    provider.create(spec(&["echo", "act"]), Arc::clone(delegate) as _).await.unwrap()
}

/// Runs a cell to its end.
pub(crate) async fn run(session: &Arc<dyn CodeModeSession>, source: &str) -> CellResponse {
    let request = ExecuteRequest::new(source).with_yield_time(LONG);
    session.execute(request).await.unwrap().first_response.await.unwrap()
}
