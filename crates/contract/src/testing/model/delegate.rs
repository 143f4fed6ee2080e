//! A delegate whose one tool is answered call by call, when the test says so.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use futures::channel::oneshot;
use futures::future::{Either, select};

use crate::error::NotifyError;
use crate::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, Notification, ToolCall,
    ToolError, ToolErrorCode,
};

type Answer = Result<JsonText, ToolError>;

/// Holds at most one call of each cell: the programs of the model wait for one before they make another.
#[derive(Default)]
pub(super) struct Asked {
    calls: Mutex<HashMap<CellId, oneshot::Sender<Answer>>>,
    waiting: Mutex<Vec<Waker>>,
    closed: Mutex<Vec<CellId>>,
}

impl Asked {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Waits for the call of a cell, and returns what answers it.
    pub(super) async fn call(&self, cell_id: &CellId) -> oneshot::Sender<Answer> {
        poll_fn(|context| {
            self.waiting.lock().expect("no test panics here").push(context.waker().clone());
            match self.calls.lock().expect("no test panics here").remove(cell_id) {
                Some(call) => Poll::Ready(call),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Returns the cells that were closed, in order.
    pub(super) fn closed(&self) -> Vec<CellId> {
        self.closed.lock().expect("no test panics here").clone()
    }
}

impl CodeModeSessionDelegate for Asked {
    fn invoke_tool(
        &self,
        call: ToolCall,
        cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        let (sender, answer) = oneshot::channel();
        self.calls.lock().expect("no test panics here").insert(call.cell_id, sender);
        self.waiting.lock().expect("no test panics here").drain(..).for_each(Waker::wake);
        Box::pin(async move {
            match select(answer, Box::pin(cancel.cancelled())).await {
                Either::Left((Ok(answer), _)) => answer,
                _ => Err(ToolError::new(ToolErrorCode::Cancelled, "cancelled")),
            }
        })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn cell_closed(&self, cell_id: &CellId) {
        self.closed.lock().expect("no test panics here").push(cell_id.clone());
    }
}
