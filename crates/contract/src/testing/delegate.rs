//! A delegate with tools of known behaviour that records what reaches it.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{Either, Shared, pending, select};

use crate::error::NotifyError;
use crate::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, ExecuteRequest,
    JsonText, Notification, Seq, ToolCall, ToolDescription, ToolError, ToolErrorCode, ToolName, ToolProgress,
    WaitRequest,
};

/// The tools of [`RecordingDelegate`].
const TOOLS: &[(&str, &str)] = &[
    ("block", "Blocks its thread until the test lets it go."),
    ("echo", "Returns its input."),
    ("end", "Ends its own cell and waits for that."),
    ("fail", "Fails with code `failed`, retryable, with its input as data."),
    ("gate", "Returns once the test opens the gate."),
    ("hang", "Never returns, but ends at its token."),
    ("ignore", "Never returns and ignores its token."),
    ("large", "Returns a string of as many characters as its input says."),
    ("late", "Returns its input, but only once its token has fired."),
    ("look", "Waits for its own cell, for no time, and returns what that has printed."),
    ("mine", "Never returns, ignores its token, and panics as it is dropped."),
    ("panic", "Panics."),
    ("panic_at_once", "Panics before there is a future to poll."),
    ("person", "Asks a person, whom the test answers for, and returns its input."),
    ("place", "Returns line and column of its call."),
    ("reenter", "Runs a cell in its own session and returns that cell's text."),
    ("shutdown", "Shuts its own session down."),
    ("step", "Tells that half of it is done, then returns its input."),
];

/// Returns descriptions of the tools, for a `SessionSpec`.
#[must_use]
pub fn tool_descriptions() -> Vec<ToolDescription> {
    TOOLS
        .iter()
        .map(|(name, description)| {
            ToolDescription::new(ToolName::new(name).expect("the names are identifiers"), *description)
        })
        .collect()
}

/// What reached a [`RecordingDelegate`], in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A tool call began.
    Called(CellId, String),
    /// A tool call's token fired.
    Cancelled(CellId, String),
    /// A notification.
    Notified(CellId, String),
    /// A cell was closed.
    Closed(CellId),
}

/// See the [module](self).
pub struct RecordingDelegate {
    seen: Mutex<Vec<Seen>>,
    waiting: Mutex<Vec<Waker>>,
    open: Mutex<Option<oneshot::Sender<()>>>,
    gate: Shared<oneshot::Receiver<()>>,
    session: Mutex<Option<Weak<dyn CodeModeSession>>>,
    blocked: (Mutex<bool>, Condvar),
    panics_at_close: bool,
}

impl RecordingDelegate {
    /// Makes one whose gate is shut.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::made())
    }

    /// Makes one that panics whenever it is told that a cell is gone.
    #[must_use]
    pub fn panicking_at_close() -> Arc<Self> {
        Arc::new(Self { panics_at_close: true, ..Self::made() })
    }

    fn made() -> Self {
        let (open, gate) = oneshot::channel();
        Self {
            seen: Mutex::default(),
            waiting: Mutex::default(),
            open: Mutex::new(Some(open)),
            gate: gate.shared(),
            session: Mutex::new(None),
            blocked: (Mutex::new(true), Condvar::new()),
            panics_at_close: false,
        }
    }

    /// Lets every thread go that `block` holds, those to come included.
    pub fn unblock(&self) {
        let (blocked, changed) = &self.blocked;
        *blocked.lock().expect("no test panics here") = false;
        changed.notify_all();
    }

    fn block(&self) {
        let (blocked, changed) = &self.blocked;
        let held = blocked.lock().expect("no test panics here");
        drop(changed.wait_while(held, |blocked| *blocked).expect("no test panics here"));
    }

    /// Names the session that `reenter` and `shutdown` act on.
    pub fn belongs_to(&self, session: &Arc<dyn CodeModeSession>) {
        *self.session.lock().expect("no test panics here") = Some(Arc::downgrade(session));
    }

    /// Lets every call of `gate` return, those to come included.
    pub fn open_gate(&self) {
        if let Some(open) = self.open.lock().expect("no test panics here").take() {
            // Nobody may have come to the gate yet.
            open.send(()).ok();
        }
    }

    /// Returns what reached it so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics here").clone()
    }

    /// Waits until something has reached it.
    pub async fn reached(&self, wanted: impl Fn(&Seen) -> bool) {
        self.reached_times(1, wanted).await;
    }

    /// Waits until something has reached it so often.
    pub async fn reached_times(&self, times: usize, wanted: impl Fn(&Seen) -> bool) {
        poll_fn(|context| {
            self.waiting.lock().expect("no test panics here").push(context.waker().clone());
            let seen = self.seen().iter().filter(|seen| wanted(seen)).count();
            if seen >= times { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn record(&self, seen: Seen) {
        self.seen.lock().expect("no test panics here").push(seen);
        self.waiting.lock().expect("no test panics here").drain(..).for_each(Waker::wake);
    }

    fn session(&self) -> Option<Arc<dyn CodeModeSession>> {
        self.session.lock().expect("no test panics here").as_ref().and_then(Weak::upgrade)
    }

    async fn perform(&self, call: &ToolCall, cancel: &CancellationToken) -> Result<JsonText, ToolError> {
        let input = call.input.clone().unwrap_or_else(null);
        let cancelled = || ToolError::new(ToolErrorCode::Cancelled, "cancelled");
        match call.tool.as_str() {
            "block" => {
                self.block();
                Ok(input)
            }
            "echo" => Ok(input),
            "end" => {
                let session = self.session().ok_or_else(cancelled)?;
                drop(session.terminate(call.cell_id.clone()).await);
                Ok(input)
            }
            "fail" => {
                Err(ToolError::new(ToolErrorCode::Failed, "it failed").with_retryable(true).with_data(input))
            }
            "gate" => match select(self.gate.clone(), Box::pin(cancel.cancelled())).await {
                Either::Left(_) => Ok(input),
                Either::Right(_) => Err(cancelled()),
            },
            "hang" => {
                cancel.cancelled().await;
                Err(cancelled())
            }
            "ignore" => pending().await,
            "large" => {
                let length = input.to_value().as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
                Ok(JsonText::from_value(&"x".repeat(length).into()))
            }
            "late" => {
                cancel.cancelled().await;
                Ok(input)
            }
            "look" => {
                let session = self.session().ok_or_else(cancelled)?;
                let request = WaitRequest::new([call.cell_id.clone()]).after(Seq::START);
                let looked = session.wait(request.with_yield_time(Duration::ZERO)).await;
                let looked = looked.map_err(|e| ToolError::new(ToolErrorCode::Failed, e.to_string()))?;
                let text = looked.cells.first().map(crate::CellResponse::text).unwrap_or_default();
                Ok(JsonText::from_value(&text.into()))
            }
            "mine" => {
                let _mine = Mine;
                pending().await
            }
            "panic" => panic!("as it was asked to"),
            "person" => {
                let _asked = call.status.await_person("may I?");
                self.gate.clone().await.ok();
                Ok(input)
            }
            "reenter" => {
                let session = self.session().ok_or_else(cancelled)?;
                let failed = |e: &dyn std::fmt::Display| ToolError::new(ToolErrorCode::Failed, e.to_string());
                let source = input.to_value().as_str().unwrap_or_default().to_owned();
                let started = session.execute(ExecuteRequest::new(source)).await.map_err(|e| failed(&e))?;
                let waited =
                    session.wait(WaitRequest::new([started.cell_id])).await.map_err(|e| failed(&e))?;
                let text = waited.cells.first().map(crate::CellResponse::text).unwrap_or_default();
                Ok(JsonText::from_value(&text.into()))
            }
            "shutdown" => {
                let session = self.session().ok_or_else(cancelled)?;
                drop(session.shutdown().await);
                Ok(null())
            }
            "place" => {
                let place = call.location.map(|place| format!("[{},{}]", place.line, place.column));
                Ok(place.and_then(|place| JsonText::parse(&place).ok()).unwrap_or_else(null))
            }
            "step" => {
                call.status.progress(ToolProgress { percent: Some(50), message: Some("half".to_owned()) });
                Ok(input)
            }
            other => {
                Err(ToolError::new(ToolErrorCode::Internal, format!("{other} is no tool of the test's")))
            }
        }
    }
}

/// Panics as it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "as it was asked to");
    }
}

fn null() -> JsonText {
    JsonText::from_value(&serde_json::Value::Null)
}

impl CodeModeSessionDelegate for RecordingDelegate {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        assert!(call.tool.as_str() != "panic_at_once", "as it was asked to");
        Box::pin(async move {
            let tool = call.tool.as_str().to_owned();
            self.record(Seen::Called(call.cell_id.clone(), tool.clone()));
            let result = self.perform(&call, &cancel).await;
            if cancel.is_cancelled() {
                self.record(Seen::Cancelled(call.cell_id, tool));
            }
            result
        })
    }

    fn notify(
        &self,
        notification: Notification,
        _cancel: CancellationToken,
    ) -> CodeModeFuture<'_, (), NotifyError> {
        let text = notification.text.clone();
        self.record(Seen::Notified(notification.cell_id, notification.text));
        Box::pin(async move {
            match text.as_str() {
                "fail" => Err(NotifyError { detail: "as it was asked to".to_owned(), tried_for: None }),
                "never" => pending().await,
                "panic" => panic!("as it was asked to"),
                _ => Ok(()),
            }
        })
    }

    fn cell_closed(&self, cell_id: &CellId) {
        self.record(Seen::Closed(cell_id.clone()));
        assert!(!self.panics_at_close, "as it was asked to");
    }
}
