//! What requests that look at a cell are answered with.

use std::sync::Arc;

use super::frame::{self, TooLong};
use super::host::{HostMessage, Looked, Observed, Outcome, Value};
use super::link::Link;
use super::requests::Active;
use crate::service::{Admitted, Answer, Ticket, Waited};

/// Answers the request for a cell a second time. A request that is cancelled gives its observation up; the cell goes on.
pub(super) async fn first_response(link: Arc<Link>, active: Active, admitted: Admitted) {
    let signals = &active.signals;
    let answer = tokio::select! {
        biased;
        () = signals.cancel.cancelled() => Err("code-mode request cancelled".to_owned()),
        answer = admitted.respond(signals.preempt.cancelled()) => answer,
    };
    let id = active.id;
    let result = match &answer {
        Ok(Answer { waited: Waited::Live(response) | Waited::Missing(response), .. }) => {
            Outcome::Ok { value: Observed::from(response) }
        }
        Err(message) => Outcome::Error { message: message.clone() },
    };
    let frame = frame::encode(&HostMessage::InitialResponse { id, result }).or_else(|too_long: TooLong| {
        let message = format!("code-mode initial response exceeds the IPC frame limit: {too_long}");
        frame::encode(&HostMessage::InitialResponse { id, result: Outcome::Error { message } })
    });
    deliver(&link, frame, answer, active);
}

/// Sends an answer, and says so to whoever keeps account of it.
fn deliver(link: &Link, frame: Result<Vec<u8>, TooLong>, answer: Result<Answer, String>, active: Active) {
    let Ok(frame) = frame else { return };
    let ticket = answer.ok().and_then(|answer| answer.ticket).map(Ticket::deliver);
    drop(active);
    link.outbox.answer(frame);
    drop(ticket);
}

/// Answers the request for a look at a cell, or for its end.
pub(super) fn completed(link: &Link, active: Active, answer: Result<Answer, String>) {
    let id = active.id;
    let result = match &answer {
        Ok(answer) => Outcome::Ok { value: Value::WaitCompleted { outcome: Looked::from(&answer.waited) } },
        Err(message) => Outcome::Error { message: message.clone() },
    };
    let frame = frame::encode(&HostMessage::Response { id, result }).or_else(|too_long: TooLong| {
        let message = format!("code-mode host response exceeds the IPC frame limit: {too_long}");
        frame::encode(&HostMessage::Response { id, result: Outcome::Error { message } })
    });
    deliver(link, frame, answer, active);
}
