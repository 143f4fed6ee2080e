//! Requests that are waited for. Whoever gives up waiting cancels them.

use std::sync::Arc;

use carrel_wire::{Reply, ToHost, encode};
use tokio::sync::oneshot;

use super::channel::Channel;
use super::connection::{Answer, Connection, Pending};

impl Channel {
    /// Says something; `None` when the host is gone, once that is known for sure.
    async fn say(&self, message: ToHost) -> Option<()> {
        let connection = self.connection();
        if connection.outbox.send(self.stream, encode(&message)).await.is_err() {
            connection.lost.cancelled().await;
            return None;
        }
        Some(())
    }

    /// Makes a request and waits for its answer. Dropping the future cancels the request; `None` when the host is gone.
    pub(super) async fn ask(&self, message: impl FnOnce(u64) -> ToHost) -> Option<Reply> {
        self.ask_fully(message).await.map(|answer| answer.reply)
    }

    /// The same, with what had been seen by then.
    pub(super) async fn ask_fully(&self, message: impl FnOnce(u64) -> ToHost) -> Option<Answer> {
        let (waiting, reply) = oneshot::channel();
        let request = self.connection().request(Pending::Reply(waiting));
        let mut asked = Asked { connection: self.connection(), stream: self.stream, request, is_over: false };
        self.say(message(request)).await?;
        let reply = reply.await.ok();
        asked.is_over = true;
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
        self.say(message(request)).await?;
        let started = is_started.await.ok()?;
        Some((started.reply, first))
    }
}

/// A request, until it is answered. Dropped before, it is cancelled.
struct Asked<'a> {
    connection: &'a Connection,
    stream: u32,
    request: u64,
    is_over: bool,
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
