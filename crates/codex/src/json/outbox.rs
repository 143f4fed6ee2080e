//! What is on its way to the client, frame by frame in order, in bounded memory.
//!
//! Callbacks wait for room before they are queued. Answers are queued at once, and owed until they are written: a client that
//! is owed much has no more of its requests read before it has read its answers.

use std::sync::Arc;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::frame::{self, MAX_FRAME_BYTES, TooLong};

/// The bytes of callbacks that may be queued. A frame that is larger than this waits until no other is.
const ROOM: usize = MAX_FRAME_BYTES;
/// The bytes from which on a client is owed much.
const MUCH: usize = MAX_FRAME_BYTES;
/// What a frame costs beside its bytes.
const FRAME_BYTES: usize = 128;
/// From so many bytes on what is queued is written.
const BATCH: usize = 64 * 1024;

/// Where frames are queued. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outbox {
    queue: mpsc::UnboundedSender<Option<Queued>>,
    room: Arc<Semaphore>,
    owed: Arc<watch::Sender<usize>>,
}

struct Queued {
    frame: Vec<u8>,
    held: Held,
}

/// What a frame holds until it is written.
enum Held {
    Room(#[expect(dead_code, reason = "given back as it is dropped")] OwnedSemaphorePermit),
    Debt { owed: Arc<watch::Sender<usize>>, bytes: usize },
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::Debt { owed, bytes } = self {
            owed.send_modify(|owed| *owed -= *bytes);
        }
    }
}

/// The connection is gone: nothing can be sent, and nobody waits for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

impl Outbox {
    /// Makes one, and what its frames come out of.
    pub(super) fn new() -> (Self, Pump) {
        #[expect(clippy::disallowed_methods, reason = "bounded by bytes, of callbacks and of answers")]
        let (queue, frames) = mpsc::unbounded_channel();
        let (room, owed) = (Arc::new(Semaphore::new(ROOM)), Arc::new(watch::Sender::new(0)));
        (Self { queue, room, owed }, Pump { frames })
    }

    /// Queues a callback when there is room. Cancel safe.
    pub(super) async fn ask(&self, frame: Vec<u8>) -> Result<(), Gone> {
        let bytes = u32::try_from(frame.len().min(ROOM)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| Gone)?;
        self.queue.send(Some(Queued { frame, held: Held::Room(room) })).map_err(|_| Gone)
    }

    /// Queues an answer.
    pub(super) fn answer(&self, frame: Vec<u8>) {
        let (owed, bytes) = (Arc::clone(&self.owed), frame.len() + FRAME_BYTES);
        owed.send_modify(|owed| *owed += bytes);
        // Whoever writes has seen that the connection is gone.
        self.queue.send(Some(Queued { frame, held: Held::Debt { owed, bytes } })).ok();
    }

    /// Queues a message that is no answer's content: a small one.
    pub(super) fn say(&self, message: &impl Serialize) -> Result<(), TooLong> {
        self.answer(frame::encode(message)?);
        Ok(())
    }

    /// Waits until the client is not owed much. Cancel safe.
    pub(super) async fn settled(&self) {
        self.owed.subscribe().wait_for(|owed| *owed < MUCH).await.ok();
    }

    /// Has what is queued be the last that is written.
    pub(super) fn end(&self) {
        self.queue.send(None).ok();
    }
}

/// Where frames come out.
pub(super) struct Pump {
    frames: mpsc::UnboundedReceiver<Option<Queued>>,
}

impl Pump {
    /// Writes frames until the last.
    pub(super) async fn run(mut self, mut output: impl AsyncWrite + Unpin) -> std::io::Result<()> {
        let (mut batch, mut held, mut is_over) = (Vec::new(), Vec::new(), false);
        while !is_over {
            let Some(first) = self.frames.recv().await.flatten() else { return Ok(()) };
            batch.extend_from_slice(&first.frame);
            held.push(first.held);
            while batch.len() < BATCH
                && let Ok(next) = self.frames.try_recv()
            {
                let Some(next) = next else {
                    is_over = true;
                    break;
                };
                batch.extend_from_slice(&next.frame);
                held.push(next.held);
            }
            output.write_all(&batch).await?;
            output.flush().await?;
            batch.clear();
            batch.shrink_to(BATCH * 2);
            held.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_that_is_owed_much_settles_first() {
        let (outbox, pump) = Outbox::new();
        outbox.answer(vec![b'a'; MUCH / 2]);
        assert!(outbox.settled().now_or_never().is_some());
        outbox.answer(vec![b'b'; MUCH / 2]);
        assert!(outbox.settled().now_or_never().is_none());
        // Callbacks have room of their own, and order is kept.
        assert!(outbox.ask(vec![b'c'; ROOM]).now_or_never().is_some());
        assert!(outbox.ask(vec![b'd']).now_or_never().is_none());
        outbox.end();
        outbox.answer(vec![b'e']);
        let mut written = Vec::new();
        pump.run(&mut written).await.unwrap();
        written.dedup();
        assert_eq!(written, b"abc", "what is said after the end is not");
        assert!(outbox.settled().now_or_never().is_some());
    }
}
