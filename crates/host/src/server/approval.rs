//! An approval: a person at the client's is asked whether a call is to be made, and the session writes that down.

use std::sync::Arc;

use carrel_contract::{CallStatus, ToolError};
use carrel_wire::{ToClient, ToolFailure, encode};
use tokio::sync::oneshot;

use super::opened::Stream;

/// Says that a call is to be made. Dropped before, it says that it is not, or that nobody is asked any more.
pub(super) struct Approval(oneshot::Sender<()>);

impl Approval {
    /// Makes one, and what has the session know of it.
    pub(super) fn new(
        stream: Arc<Stream>,
        call: u64,
        status: CallStatus,
        question: String,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (given, is_given) = oneshot::channel();
        (Self(given), attend(stream, call, status, question, is_given))
    }

    pub(super) fn give(self) {
        // Without a session nobody waits for it.
        self.0.send(()).ok();
    }
}

async fn attend(
    stream: Arc<Stream>,
    call: u64,
    status: CallStatus,
    question: String,
    is_given: oneshot::Receiver<()>,
) {
    let noted = |noted: Result<(), ToolError>| {
        let failure = noted.err().map(ToolFailure::from);
        stream.outbox.push(stream.number, encode(&ToClient::Noted { call, failure }));
    };
    let awaited = match status.await_approval(&question).await {
        Ok(awaited) => awaited,
        Err(error) => return noted(Err(error)),
    };
    noted(Ok(()));
    if is_given.await.is_ok() {
        noted(awaited.given().await);
    }
}
