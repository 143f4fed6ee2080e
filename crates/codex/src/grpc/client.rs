//! What a session asks of its client.

use std::sync::Arc;

use carrel_contract::{CancellationToken, JsonText};
use futures::future::BoxFuture;
use prost::Message as _;

use super::lease::Lease;
use super::{MAX_MESSAGE_BYTES, convert, ids, messages as m};
use crate::service::{Cell, Client, Invocation, Turn};

/// The client that holds a lease.
pub(super) struct LeaseClient(pub(super) Arc<Lease>);

impl Client for LeaseClient {
    fn invoke(
        &self,
        call: Invocation,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<JsonText, String>> {
        Box::pin(async move {
            let lease = &self.0;
            let (asked, answer) = lease.pending.begin();
            let mut message = m::ToolCall {
                session_id: lease.id.clone(),
                execution_id: call.cell.execution_id.clone(),
                cell_id: call.cell.name.clone(),
                invocation_id: asked.id.clone(),
                runtime_tool_call_id: call.call_id,
                tool_name: Some(convert::name(&call.tool)),
                kind: convert::kind(call.tool.kind),
                input_json: call.input.map(|input| input.as_str().as_bytes().to_vec()),
                // The longest that there is, until it is known.
                tool_call_sequence: u64::MAX,
            };
            let length = message.encoded_len();
            if length > MAX_MESSAGE_BYTES {
                return Err(format!("code-mode IPC frame length {length} exceeds {MAX_MESSAGE_BYTES} bytes"));
            }
            call.cell.in_sequence(|sequence| {
                message.tool_call_sequence = sequence;
                lease.subscriptions.give(&call.tool, message)
            })?;
            drop(turn);
            tokio::select! {
                outcome = answer => outcome.unwrap_or_else(|_| Err("code-mode session closed".to_owned())),
                () = cancel.cancelled() => {
                    let cancelled = m::ToolCallCancelled { invocation_id: asked.id.clone() };
                    lease.events.tell(m::SessionEventEvent::ToolCallCancelled(cancelled));
                    Err("code-mode callback cancelled".to_owned())
                }
            }
        })
    }

    /// The client delivers notifications before it shows what comes after them, so nobody here waits until it has.
    fn notify(
        &self,
        cell: Arc<Cell>,
        text: String,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), String>> {
        let notification = m::Notification {
            notification_id: ids::draw(),
            execution_id: cell.execution_id.clone(),
            cell_id: cell.name.clone(),
            call_id: cell.call_id.clone(),
            text,
        };
        Box::pin(async move {
            let given = self.0.events.notify(notification, cancel).await;
            drop(turn);
            given
        })
    }

    fn closed(&self, cell: &Cell) {
        self.0.events.tell(m::SessionEventEvent::CellClosed(m::CellClosed {
            execution_id: cell.execution_id.clone(),
            cell_id: cell.name.clone(),
            final_tool_call_sequence: cell.calls(),
        }));
    }
}
