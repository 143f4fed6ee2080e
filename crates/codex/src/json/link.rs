//! The way to the client of a connection, for callbacks of its sessions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::{CancellationToken, JsonText};
use futures::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};

use super::client::{Answer, Value};
use super::frame;
use super::host::{Callback, HostMessage, Invocation, Name, kind_of};
use super::outbox::Outbox;
use crate::service::{self, Cell, Client, Turn};

/// What all sessions of a connection share.
pub(super) struct Link {
    pub(super) outbox: Outbox,
    last_id: AtomicI64,
    asked: Mutex<HashMap<i64, oneshot::Sender<Answer>>>,
    /// Places for callbacks that the client has not answered.
    places: Semaphore,
}

impl Link {
    pub(super) fn new(outbox: Outbox, capacity: usize) -> Self {
        let (last_id, asked) = (AtomicI64::new(0), Mutex::default());
        Self { outbox, last_id, asked, places: Semaphore::new(capacity) }
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<i64, oneshot::Sender<Answer>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an answer; one that nobody waits for is passed over.
    pub(super) fn answered(&self, id: i64, answer: Answer) {
        let asked = self.asked().remove(&id);
        if let Some(asked) = asked {
            asked.send(answer).ok();
        }
    }

    /// Asks the client, and tells it when nobody waits for its answer any more.
    async fn ask(
        &self,
        session_id: &str,
        request: Callback<'_>,
        turn: Turn,
        cancel: CancellationToken,
    ) -> Result<Value, String> {
        let cancelled = || "code-mode callback cancelled".to_owned();
        let place = tokio::select! {
            biased;
            place = self.places.acquire() => place,
            () = cancel.cancelled() => return Err(cancelled()),
        };
        let _place = place.map_err(|_| gone())?;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let message = HostMessage::Request { id, session_id, request };
        let frame = frame::encode(&message).map_err(|error| error.to_string())?;
        let (sender, answer) = oneshot::channel();
        self.asked().insert(id, sender);
        let _forgotten = Forgotten(self, id);
        tokio::select! {
            biased;
            sent = self.outbox.ask(frame) => sent.map_err(|_| gone())?,
            () = cancel.cancelled() => return Err(cancelled()),
        }
        drop(turn);
        tokio::select! {
            answer = answer => match answer.map_err(|_| gone())? {
                Answer::Ok(value) => Ok(value),
                Answer::Error(message) => Err(message),
            },
            () = cancel.cancelled() => {
                self.outbox.say(&HostMessage::Cancel { id }).ok();
                Err(cancelled())
            }
        }
    }
}

/// Forgets a callback, however the wait for its answer ended.
struct Forgotten<'a>(&'a Link, i64);

impl Drop for Forgotten<'_> {
    fn drop(&mut self) {
        self.0.asked().remove(&self.1);
    }
}

fn gone() -> String {
    "code-mode client connection closed".to_owned()
}

/// The client of one session.
pub(super) struct SessionClient {
    pub(super) link: Arc<Link>,
    pub(super) session_id: String,
}

impl Client for SessionClient {
    fn invoke(
        &self,
        call: service::Invocation,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<JsonText, String>> {
        Box::pin(async move {
            let invocation = Invocation {
                cell_id: &call.cell.name,
                runtime_tool_call_id: &call.call_id,
                tool_name: Name::from(&call.tool),
                tool_kind: kind_of(call.tool.kind),
                input: call.input,
            };
            match self.link.ask(&self.session_id, Callback::Invoke { invocation }, turn, cancel).await? {
                Value::ToolResult(result) => Ok(result),
                Value::Delivered => Err("code-mode client returned an invalid tool result".to_owned()),
            }
        })
    }

    fn notify(
        &self,
        cell: Arc<Cell>,
        text: String,
        turn: Turn,
        cancel: CancellationToken,
    ) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let request = Callback::Notify { call_id: &cell.call_id, cell_id: &cell.name, text: &text };
            self.link.ask(&self.session_id, request, turn, cancel).await.map(drop)
        })
    }

    fn closed(&self, cell: &Cell) {
        let message = HostMessage::CellClosed { session_id: &self.session_id, cell_id: &cell.name };
        self.link.outbox.say(&message).ok();
    }
}
