//! A cell's callbacks into its delegate, as futures that the cell's own task polls.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::{
    CancellationToken, CellId, CodeModeSessionDelegate, JsonText, Notification, ToolCall, ToolCallId,
    ToolError, ToolErrorCode,
};
use carrel_engine::CallHandle;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::timeout;

use crate::shared::Core;

/// A tool call that was answered.
pub(super) struct Answer {
    pub(super) handle: CallHandle,
    pub(super) call_id: ToolCallId,
    pub(super) result: Result<JsonText, ToolError>,
}

/// Performs one tool call: waits for its turn, calls the delegate, holds the result to its limits.
pub(super) fn call_tool(
    core: Arc<Core>,
    handle: CallHandle,
    call: ToolCall,
    cancel: CancellationToken,
) -> BoxFuture<'static, Answer> {
    async move {
        let call_id = call.call_id.clone();
        let result = perform(&core, call, &cancel).await;
        // Whatever of the delegate is still at work for this call has no reader any more.
        cancel.cancel();
        Answer { handle, call_id, result }
    }
    .boxed()
}

async fn perform(core: &Core, call: ToolCall, cancel: &CancellationToken) -> Result<JsonText, ToolError> {
    let limits = &core.limits;
    let input_bytes = call.input.as_ref().map_or(0, |input| input.as_str().len());
    check_size("input", input_bytes, limits.tool_value_bytes)?;
    let _turn = core.call_places.acquire().await;
    let tool = call.tool.clone();
    let delegate = core.delegate();
    let invoked = AssertUnwindSafe(async { delegate.invoke_tool(call, cancel.clone()).await }).catch_unwind();
    let caught = match limits.tool_time {
        None => invoked.await,
        Some(limit) => timeout(limit, invoked).await.unwrap_or_else(|_| {
            let message = format!("{tool} took longer than `tool_time` = {limit:?}");
            Ok(Err(ToolError::new(ToolErrorCode::TimedOut, message).with_retryable(true)))
        }),
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
pub(super) fn notify(
    delegate: Arc<dyn CodeModeSessionDelegate>,
    notification: Notification,
    cancel: CancellationToken,
) -> BoxFuture<'static, Option<String>> {
    async move {
        let delivered =
            AssertUnwindSafe(async { delegate.notify(notification, cancel).await }).catch_unwind().await;
        match delivered {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.detail),
            Err(panic) => Some(format!("the delegate panicked: {}", panic_text(&*panic))),
        }
    }
    .boxed()
}

/// Tells the delegate that a cell is gone. Its panic harms nobody.
pub(super) fn close(delegate: &dyn CodeModeSessionDelegate, cell_id: &CellId) {
    let closed = std::panic::catch_unwind(AssertUnwindSafe(|| delegate.cell_closed(cell_id)));
    // There is no outcome that a failure here could change, and the panic hook has reported it.
    drop(closed);
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
