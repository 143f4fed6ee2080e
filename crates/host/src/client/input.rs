//! The inputs of calls. A large one is read beside the connection, which goes on meanwhile, and before the later callbacks of
//! its cell are begun.

use std::sync::Arc;

use carrel_contract::{CellId, JsonText, ToolCall};
use carrel_wire::Text;
use futures::FutureExt;
use tokio::sync::oneshot;

use super::channel::Channel;

/// Inputs longer than this are large.
pub(super) const LARGE: usize = 256 * 1024;

/// A call whose input may still have to be read.
pub(super) struct Incoming {
    pub(super) call: ToolCall,
    pub(super) input: Option<oneshot::Receiver<JsonText>>,
}

impl Incoming {
    /// Returns the call once its input is read; `None` when that is none, which ends the connection.
    pub(super) async fn whole(self) -> Option<ToolCall> {
        let mut call = self.call;
        if let Some(input) = self.input {
            call.input = Some(input.await.ok()?);
        }
        Some(call)
    }
}

impl Channel {
    /// Has a large input read.
    pub(super) fn read_beside(self: &Arc<Self>, cell_id: &CellId, text: Text) -> oneshot::Receiver<JsonText> {
        let (input, read) = oneshot::channel();
        let channel = Arc::clone(self);
        let reading = async move {
            let connection = channel.connection();
            match connection.tasks.spawn_blocking(move || JsonText::try_from(text)).await {
                // The call may have been dropped meanwhile.
                Ok(Ok(json)) => drop(input.send(json)),
                Ok(Err(error)) => connection.end(&format!("it sent what is no message: failed to {error}")),
                // The runtime is ending.
                Err(_) => {}
            }
        };
        self.begin_after(cell_id, reading.boxed());
        read
    }
}
