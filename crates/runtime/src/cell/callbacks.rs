//! A cell's callbacks into its delegate: what is called, with which token, within which limits.
//!
//! A callback has a token of its own below the cell's. When the cell ends it is told, joined within a grace, and then
//! dropped.

use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use carrel_contract::error::InvalidJson;
use carrel_contract::{
    CancellationToken, CellId, CodeModeSessionDelegate, JsonText, LookedUp, Notification, ToolCall,
    ToolCallId, ToolError, ToolErrorCode,
};
use carrel_engine::CallHandle;
use futures::FutureExt;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::caller::Caller;
use super::status::Status;
use crate::journal::Mark;
use crate::seat::outside::{News, Outside};
use crate::seat::rest::Busy;
use crate::shared::Core;
use crate::tasks::Kind;
use crate::telemetry::CallTelemetry;
use crate::tools::Repeat;

/// What a callback costs beside the text it carries: its task, most of all.
const CALLBACK_BYTES: usize = 1536;

/// The callbacks of one cell that are under way.
#[derive(Default)]
pub(super) struct Callbacks {
    /// The parent of each callback's own token.
    pub(super) cancel: CancellationToken,
    caller: Caller<Done>,
    /// Notifications under way.
    pub(super) undelivered: usize,
    /// What the callbacks under way hold.
    pub(super) held_bytes: usize,
    call_ids: HashMap<CallHandle, ToolCallId>,
    pub(super) calls_made: u64,
    /// What has to be durable before anything of the cell's leaves the session, even a call that changes nothing: that
    /// there is the cell, and that the session is ours.
    pub(super) ground: Mark,
}

/// Where a call comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// From its cell, just now.
    Cell,
    /// From its journal: it was under way when its session was lost.
    Lost,
    /// From the journal of another session, which this one was forked off: that one made it, under a key of its own.
    Elsewhere,
    /// From its journal: it waited for somebody to allow it, and was never made.
    Unsent,
}

/// A callback that is done.
pub(super) enum Done {
    Answered(Answer),
    Delivered(Delivered),
}

/// A tool call that was answered.
pub(super) struct Answer {
    pub(super) handle: CallHandle,
    pub(super) call_id: ToolCallId,
    pub(super) result: Result<JsonText, ToolError>,
    pub(super) repeat: Repeat,
    held_bytes: usize,
}

/// A notification that was delivered, or was not.
pub(super) struct Delivered {
    /// Its number in its cell.
    pub(super) notification: u64,
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
        repeat: Repeat,
        origin: Origin,
    ) {
        let input_bytes =
            call.as_ref().ok().and_then(|call| call.input.as_ref()).map_or(0, |json| json.as_str().len());
        let held_bytes = input_bytes + CALLBACK_BYTES;
        self.held_bytes += held_bytes;
        self.call_ids.insert(handle, call_id.clone());
        let cancel = self.cancel.child_token();
        let telemetry = call.as_ref().ok().map(|call| CallTelemetry::new(&call.tool, &call_id));
        let span = telemetry.as_ref().map_or_else(Span::none, |telemetry| telemetry.span.clone());
        let answered = {
            let (outside, cell) = (Arc::clone(&core.outside), self.cancel.clone());
            async move {
                let result = match call {
                    Ok(call) => {
                        // Once more around it all: a future that was given up can panic as it is dropped.
                        let performed = async {
                            match origin {
                                Origin::Cell | Origin::Unsent => {
                                    perform(&outside, call, &cell, &cancel).await
                                }
                                Origin::Lost | Origin::Elsewhere => {
                                    make_good(&outside, call, repeat, origin, &cell, &cancel).await
                                }
                            }
                        };
                        AssertUnwindSafe(performed)
                            .catch_unwind()
                            .await
                            .unwrap_or_else(|panic| Err(panicked(&*panic)))
                    }
                    Err(error) => Err(ToolError::new(ToolErrorCode::InvalidInput, error.to_string())),
                };
                // Whatever of the delegate is still at work for this call has no reader any more.
                cancel.cancel();
                if let Some(telemetry) = telemetry {
                    telemetry.answered(&result);
                }
                Done::Answered(Answer { handle, call_id, result, repeat, held_bytes })
            }
        };
        // What changes nothing may be done, and lost, and done again: its intent is written down, but not waited for.
        let mark = if repeat == Repeat::Freely { self.ground } else { core.mark() };
        self.caller.call(Busy::new(core), mark, answered.instrument(span).boxed());
    }

    /// Waits for the next callback that is done; for ever when none is under way. Cancel safe.
    pub(super) async fn next(&mut self) -> Done {
        self.caller.next().await
    }

    /// Waits until every callback that was taken up has begun, or none begins any more. Cancel safe.
    pub(super) async fn begun(&mut self) {
        self.caller.begun().await;
    }

    /// Puts back what `next` returned.
    pub(super) fn put_back(&self, done: Done) {
        self.caller.put_back(done);
    }

    /// Tells whether a callback is done that was not taken yet.
    pub(super) fn has_done(&self) -> bool {
        self.caller.has_done()
    }

    /// Waits until nothing is under way, whatever it comes to. Cancel safe.
    pub(super) async fn join(&mut self) {
        while !self.is_empty() {
            match self.next().await {
                Done::Answered(answer) => self.answered(&answer),
                Done::Delivered(delivered) => self.delivered(&delivered),
            }
        }
    }

    /// Tells whether nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.call_ids.is_empty() && self.undelivered == 0
    }

    pub(super) fn answered(&mut self, answer: &Answer) {
        self.held_bytes -= answer.held_bytes;
        self.call_ids.remove(&answer.handle);
    }

    /// Takes up a notification.
    pub(super) fn notify(&mut self, core: &Arc<Core>, number: u64, notification: Notification) {
        let held_bytes = notification.text.len() + CALLBACK_BYTES;
        self.held_bytes += held_bytes;
        let cancel = self.cancel.child_token();
        let delegate = core.outside.delegate();
        let delivered = async move {
            let failure = if cancel.is_cancelled() {
                Some("the cell had ended".to_owned())
            } else {
                deliver(&*delegate, notification, cancel).await
            };
            Done::Delivered(Delivered { notification: number, failure, held_bytes })
        };
        self.undelivered += 1;
        self.caller.call(Busy::new(core), core.mark(), delivered.boxed());
    }

    pub(super) fn delivered(&mut self, delivered: &Delivered) {
        self.held_bytes -= delivered.held_bytes;
        self.undelivered -= 1;
    }

    /// Returns the calls that were not answered, in the order in which they were made.
    pub(super) fn unanswered(&self) -> Vec<ToolCallId> {
        let mut calls: Vec<_> = self.call_ids.values().cloned().collect();
        calls.sort_by(|a, b| (a.as_str().len(), a).cmp(&(b.as_str().len(), b)));
        calls
    }

    /// Drops what is left, and waits until it is gone, unless a thread is stuck in it.
    pub(super) async fn abandon(&mut self) {
        self.caller.end().await;
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Settles a call that was under way when its session was lost: by what its owner knows of it, by making it again with the
/// same idempotency key, or by saying that nobody knows.
async fn make_good(
    outside: &Arc<Outside>,
    call: ToolCall,
    repeat: Repeat,
    origin: Origin,
    cell: &CancellationToken,
    cancel: &CancellationToken,
) -> Result<JsonText, ToolError> {
    let known = match repeat {
        // Whoever is asked by this session's key knows of nothing, although it may have happened.
        Repeat::WithKey | Repeat::Never if matches!(origin, Origin::Elsewhere) => repeat == Repeat::WithKey,
        // Its owner is not asked: it may have been made before its intent was durable, and what is known under its key
        // may be the answer to another input.
        Repeat::Freely => true,
        Repeat::WithKey | Repeat::Never => {
            match outside.delegate().lookup_outcome(call.clone(), cancel.clone()).await? {
                LookedUp::Answered(result) => return Ok(result),
                LookedUp::NeverHappened => true,
                LookedUp::Unknown => repeat == Repeat::WithKey,
            }
        }
    };
    let (cell_id, call_id) = (call.cell_id.clone(), call.call_id.clone());
    outside.tell(News::MadeGood { cell_id, call_id, repeated: known });
    if known {
        return perform(outside, call, cell, cancel).await;
    }
    let (tool, call_id) = (&call.tool, &call.call_id);
    let message = match origin {
        Origin::Elsewhere => format!(
            "the session was forked while {tool} ({call_id}) was under way in the other one: it may or may not have happened there"
        ),
        _ => format!(
            "the session was lost while {tool} ({call_id}) was under way: it may or may not have happened"
        ),
    };
    Err(ToolError::new(ToolErrorCode::OutcomeUnknown, message))
}

/// Performs one tool call: waits for its turn, calls the delegate, holds input and result to their limits.
async fn perform(
    outside: &Arc<Outside>,
    call: ToolCall,
    cell: &CancellationToken,
    cancel: &CancellationToken,
) -> Result<JsonText, ToolError> {
    let limits = &outside.limits;
    let input_bytes = call.input.as_ref().map_or(0, |input| input.as_str().len());
    check_size("input", input_bytes, limits.tool_value_bytes)?;
    let tool = call.tool.clone();
    let _turn = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(ToolError::new(ToolErrorCode::Cancelled, "the cell has ended")),
        turn = outside.call_places.acquire() => turn,
    };
    if cell.is_cancelled() {
        // The turn came because the cell's other calls were cancelled.
        return Err(ToolError::new(ToolErrorCode::Cancelled, "the cell has ended"));
    }
    let status = Status::open(outside, call.cell_id.clone(), call.call_id.clone());
    let call = call.with_status(status.handle());
    let mut invoked = std::pin::pin!(invoke(outside.delegate(), call, cancel.clone()));
    let result = match limits.tool_time {
        None => invoked.await?,
        Some(limit) => tokio::select! {
            biased;
            result = &mut invoked => result?,
            () = status.time_is_up(limit) => {
                // Told to end, and given the time to do so; what it returns then comes too late.
                cancel.cancel();
                timeout(limits.callback_grace, invoked).await.ok();
                let message = format!("{tool} took longer than `tool_time` = {limit:?}");
                return Err(ToolError::new(ToolErrorCode::TimedOut, message).with_retryable(true));
            }
        },
    };
    check_size("result", result.as_str().len(), limits.tool_value_bytes)?;
    Ok(result)
}

/// Calls the delegate. Its panic, in the call, in a poll or as its future is dropped, is the call's error.
async fn invoke(
    delegate: Arc<dyn CodeModeSessionDelegate>,
    call: ToolCall,
    cancel: CancellationToken,
) -> Result<JsonText, ToolError> {
    let invoked = AssertUnwindSafe(async move { delegate.invoke_tool(call, cancel).await }).catch_unwind();
    invoked.await.unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> ToolError {
    ToolError::new(ToolErrorCode::Internal, format!("the delegate panicked: {}", panic_text(panic)))
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

/// Tells the delegate that a cell is gone, and waits until it has taken note, within the grace.
pub(super) async fn close(core: &Arc<Core>, cell_id: &CellId) {
    let mut closed = JoinSet::new();
    let tell = {
        let (core, cell_id) = (Arc::clone(core), cell_id.clone());
        async move {
            let _polling = core.shared.ticker.polling();
            core.outside.delegate().cell_closed(&cell_id);
        }
    };
    core.outside.tasks.spawn_in(&mut closed, Kind::Callback, tell);
    // Its panic harms nobody: the panic hook has reported it, and no outcome depends on it.
    timeout(core.limits.callback_grace, closed.join_next()).await.ok();
}

/// Returns what a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
