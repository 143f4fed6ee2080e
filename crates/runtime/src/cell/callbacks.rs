//! A cell's callbacks into its delegate: futures that the cell's own task polls.
//!
//! No callback outlives its cell: each has a token of its own below the cell's, and is dropped at the latest when the
//! cell has ended.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::error::InvalidJson;
use carrel_contract::{
    CancellationToken, CellId, CodeModeSessionDelegate, JsonText, Notification, ToolCall, ToolCallId,
    ToolError, ToolErrorCode,
};
use carrel_engine::CallHandle;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::timeout;

use crate::shared::Core;

/// What a callback costs beside the text it carries.
const CALLBACK_BYTES: usize = 512;

/// The callbacks of one cell that are under way.
#[derive(Default)]
pub(super) struct Callbacks {
    /// The parent of each callback's own token.
    pub(super) cancel: CancellationToken,
    pub(super) calls: FuturesUnordered<BoxFuture<'static, Answer>>,
    pub(super) notifications: FuturesUnordered<BoxFuture<'static, Delivered>>,
    /// What the callbacks under way hold.
    pub(super) held_bytes: usize,
    call_ids: HashMap<CallHandle, ToolCallId>,
    calls_made: u64,
}

/// A tool call that was answered.
pub(super) struct Answer {
    pub(super) handle: CallHandle,
    pub(super) call_id: ToolCallId,
    pub(super) result: Result<JsonText, ToolError>,
    held_bytes: usize,
}

/// A notification that was delivered, or was not.
pub(super) struct Delivered {
    pub(super) failure: Option<String>,
    held_bytes: usize,
}

impl Callbacks {
    pub(super) fn next_call_id(&mut self) -> Option<ToolCallId> {
        self.calls_made += 1;
        ToolCallId::new(&format!("call-{}", self.calls_made)).ok()
    }

    /// Takes up a tool call; one whose input is not JSON is answered with that.
    pub(super) fn call(
        &mut self,
        core: &Arc<Core>,
        handle: CallHandle,
        call_id: ToolCallId,
        call: Result<ToolCall, InvalidJson>,
    ) {
        let input_bytes =
            call.as_ref().ok().and_then(|call| call.input.as_ref()).map_or(0, |json| json.as_str().len());
        let held_bytes = input_bytes + CALLBACK_BYTES;
        self.held_bytes += held_bytes;
        self.call_ids.insert(handle, call_id.clone());
        let core = Arc::clone(core);
        let cancel = self.cancel.child_token();
        let answer = async move {
            let result = match call {
                Ok(call) => perform(&core, call, &cancel).await,
                Err(error) => Err(ToolError::new(ToolErrorCode::InvalidInput, error.to_string())),
            };
            // Whatever of the delegate is still at work for this call has no reader any more.
            cancel.cancel();
            Answer { handle, call_id, result, held_bytes }
        };
        self.calls.push(answer.boxed());
    }

    pub(super) fn answered(&mut self, answer: &Answer) {
        self.held_bytes -= answer.held_bytes;
        self.call_ids.remove(&answer.handle);
    }

    /// Takes up a notification.
    pub(super) fn notify(&mut self, delegate: Arc<dyn CodeModeSessionDelegate>, notification: Notification) {
        let held_bytes = notification.text.len() + CALLBACK_BYTES;
        self.held_bytes += held_bytes;
        let cancel = self.cancel.child_token();
        let delivered = async move {
            let failure = if cancel.is_cancelled() {
                Some("the cell had ended".to_owned())
            } else {
                deliver(&*delegate, notification, cancel).await
            };
            Delivered { failure, held_bytes }
        };
        self.notifications.push(delivered.boxed());
    }

    pub(super) fn delivered(&mut self, delivered: &Delivered) {
        self.held_bytes -= delivered.held_bytes;
    }

    /// Returns the calls that were not answered, in the order in which they were made.
    pub(super) fn unanswered(&self) -> Vec<ToolCallId> {
        let mut calls: Vec<_> = self.call_ids.values().cloned().collect();
        calls.sort_by(|a, b| (a.as_str().len(), a).cmp(&(b.as_str().len(), b)));
        calls
    }

    /// Drops what is left. A future that panics as it is dropped is none the less gone.
    pub(super) fn abandon(&mut self) {
        let (calls, notifications) =
            (std::mem::take(&mut self.calls), std::mem::take(&mut self.notifications));
        for call in calls {
            caught(|| drop(call));
        }
        for notification in notifications {
            caught(|| drop(notification));
        }
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.abandon();
    }
}

/// Performs one tool call: waits for its turn, calls the delegate, holds input and result to their limits.
async fn perform(core: &Core, call: ToolCall, cancel: &CancellationToken) -> Result<JsonText, ToolError> {
    let limits = &core.limits;
    let input_bytes = call.input.as_ref().map_or(0, |input| input.as_str().len());
    check_size("input", input_bytes, limits.tool_value_bytes)?;
    let tool = call.tool.clone();
    let _turn = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(ToolError::new(ToolErrorCode::Cancelled, "the cell has ended")),
        turn = core.call_places.acquire() => turn,
    };
    let delegate = core.delegate();
    let invoked = AssertUnwindSafe(async { delegate.invoke_tool(call, cancel.clone()).await }).catch_unwind();
    let mut invoked = std::pin::pin!(invoked);
    let caught = match limits.tool_time {
        None => invoked.await,
        Some(limit) => match timeout(limit, &mut invoked).await {
            Ok(caught) => caught,
            Err(_) => {
                // Told to end, and given the time to do so; what it returns then comes too late.
                cancel.cancel();
                timeout(limits.callback_grace, invoked).await.ok();
                let message = format!("{tool} took longer than `tool_time` = {limit:?}");
                return Err(ToolError::new(ToolErrorCode::TimedOut, message).with_retryable(true));
            }
        },
    };
    let result = caught.unwrap_or_else(|panic| {
        let message = format!("the delegate panicked while it called {tool}: {}", panic_text(&*panic));
        Err(ToolError::new(ToolErrorCode::Internal, message))
    })?;
    check_size("result", result.as_str().len(), limits.tool_value_bytes)?;
    Ok(result)
}

fn check_size(what: &str, bytes: usize, limit: usize) -> Result<(), ToolError> {
    if bytes <= limit {
        return Ok(());
    }
    let message = format!("the {what} has {bytes} bytes, more than `tool_value_bytes` = {limit}");
    Err(ToolError::new(ToolErrorCode::TooLarge, message))
}

/// Delivers one notification. Returns why it was not delivered, when it was not.
async fn deliver(
    delegate: &dyn CodeModeSessionDelegate,
    notification: Notification,
    cancel: CancellationToken,
) -> Option<String> {
    match AssertUnwindSafe(async { delegate.notify(notification, cancel).await }).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.detail),
        Err(panic) => Some(format!("the delegate panicked: {}", panic_text(&*panic))),
    }
}

/// Tells the delegate that a cell is gone.
pub(super) fn close(delegate: &dyn CodeModeSessionDelegate, cell_id: &CellId) {
    caught(|| delegate.cell_closed(cell_id));
}

/// Runs code of the delegate's whose panic harms nobody: the panic hook has reported it, and no outcome depends on it.
fn caught(code: impl FnOnce()) {
    drop(std::panic::catch_unwind(AssertUnwindSafe(code)));
}

/// Returns what a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
