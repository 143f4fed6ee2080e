//! Requests that are waited for. Whoever gives up waiting cancels them.

use std::sync::Arc;

use carrel_wire::{Fault, Reply, ToHost, encode};
use tokio::sync::oneshot;

use super::channel::Channel;
use super::connection::{Answer, Connection, Pending};
use crate::link::Unsent;

impl Channel {
    /// Says something; what kept it from being said otherwise: that the host is gone, once that is known for sure, or the
    /// reply to what is more than the host takes.
    async fn say(&self, message: ToHost) -> Result<(), Option<Reply>> {
        let connection = self.connection();
        match connection.outbox.send(self.stream, encode(&message)).await {
            Ok(()) => Ok(()),
            Err(Unsent::TooLarge) => Err(Some(Reply::Failed(too_large()))),
            Err(Unsent::Closed) => {
                connection.lost.cancelled().await;
                Err(None)
            }
        }
    }

    /// Makes a request and waits for its answer. Dropping the future cancels the request; `None` when the host is gone.
    pub(super) async fn ask(&self, message: impl FnOnce(u64) -> ToHost) -> Option<Reply> {
        self.ask_fully(message).await.map(|answer| answer.reply)
    }

    /// The same, with what had been seen by then.
    pub(super) async fn ask_fully(&self, message: impl FnOnce(u64) -> ToHost) -> Option<Answer> {
        let (waiting, reply) = oneshot::channel();
        let request = self.connection().request(Pending::Reply(waiting));
        let mut asked = Asked::new(self.connection(), self.stream, request);
        if let Err(instead) = self.say(message(request)).await {
            return instead.map(|reply| Answer { reply, ends: self.sightings.ends() });
        }
        let reply = reply.await.ok();
        asked.is_over();
        self.cells_closed().await;
        reply
    }

    /// The same for a cell, which has two answers.
    pub(super) async fn ask_for_cell(
        self: Arc<Self>,
        message: impl FnOnce(u64) -> ToHost,
    ) -> Option<(Reply, FirstReply)> {
        let (started, is_started) = oneshot::channel();
        let (first, first_reply) = oneshot::channel();
        let request = self.connection().request(Pending::Cell(Some(started), first));
        let first = FirstReply { channel: Arc::clone(&self), request, reply: first_reply };
        if let Err(instead) = self.say(message(request)).await {
            return instead.map(|reply| (reply, first));
        }
        let started = is_started.await.ok()?;
        Some((started.reply, first))
    }
}

/// What becomes of a request that the host does not take for its size.
pub(super) fn too_large() -> Fault {
    let message = "ask the host: the request is longer than the host takes".to_owned();
    Fault { code: 14, detail: Some(message.clone()), message, ..Fault::default() }
}

/// A request, until it is answered. Dropped before, it is cancelled.
pub(super) struct Asked<'a> {
    connection: &'a Connection,
    stream: u32,
    request: u64,
    is_over: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(connection: &'a Connection, stream: u32, request: u64) -> Self {
        Self { connection, stream, request, is_over: false }
    }

    /// Notes that it is answered.
    pub(super) fn is_over(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.connection.forget(self.request) && !self.is_over {
            self.connection.outbox.push(self.stream, encode(&ToHost::Cancel { request: self.request }));
        }
    }
}

/// The second answer to a request for a cell.
pub(super) struct FirstReply {
    channel: Arc<Channel>,
    request: u64,
    reply: oneshot::Receiver<Answer>,
}

impl FirstReply {
    /// Waits for it; `None` when the host is gone.
    pub(super) async fn wait(mut self) -> Option<Answer> {
        let reply = (&mut self.reply).await.ok();
        self.channel.cells_closed().await;
        reply
    }
}

impl Drop for FirstReply {
    fn drop(&mut self) {
        if self.channel.connection().forget(self.request) {
            self.channel.push(&ToHost::Cancel { request: self.request });
        }
    }
}
