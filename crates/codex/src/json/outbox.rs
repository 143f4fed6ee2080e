//! What is on its way to the client, frame by frame in order.
//!
//! Large frames wait for room before they are queued, so a client that does not read costs bounded memory. Small ones that
//! answer a request of the client's are queued at once: there are no more of them than it made requests.

use std::sync::Arc;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::frame::{self, MAX_FRAME_BYTES, TooLong};

/// The bytes that may be queued. A frame that is larger than this waits until nothing else is.
const ROOM: usize = MAX_FRAME_BYTES;
/// From so many bytes on what is queued is written.
const BATCH: usize = 64 * 1024;

/// Where frames are queued. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outbox {
    queue: mpsc::UnboundedSender<Queued>,
    room: Arc<Semaphore>,
}

type Queued = (Vec<u8>, Option<OwnedSemaphorePermit>);

/// The connection is gone: nothing can be sent, and nobody waits for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

impl Outbox {
    /// Makes one, and what its frames come out of.
    pub(super) fn new() -> (Self, Pump) {
        #[expect(
            clippy::disallowed_methods,
            reason = "bounded by bytes, and by the requests that are answered"
        )]
        let (queue, frames) = mpsc::unbounded_channel();
        (Self { queue, room: Arc::new(Semaphore::new(ROOM)) }, Pump { frames })
    }

    /// Queues a message when there is room. Cancel safe.
    pub(super) async fn send(&self, frame: Vec<u8>) -> Result<(), Gone> {
        let bytes = u32::try_from(frame.len().min(ROOM)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| Gone)?;
        self.queue.send((frame, Some(permit))).map_err(|_| Gone)
    }

    /// Queues a small message at once.
    pub(super) fn send_now(&self, message: &impl Serialize) -> Result<(), TooLong> {
        let frame = frame::encode(message)?;
        // Whoever writes has seen that the connection is gone.
        self.queue.send((frame, None)).ok();
        Ok(())
    }
}

/// Where frames come out.
pub(super) struct Pump {
    frames: mpsc::UnboundedReceiver<Queued>,
}

impl Pump {
    /// Writes frames until there is nobody left who queues any.
    pub(super) async fn run(mut self, mut output: impl AsyncWrite + Unpin) -> std::io::Result<()> {
        let (mut batch, mut permits) = (Vec::new(), Vec::new());
        while let Some((frame, permit)) = self.frames.recv().await {
            batch.extend_from_slice(&frame);
            permits.extend(permit);
            while batch.len() < BATCH {
                let Ok((frame, permit)) = self.frames.try_recv() else { break };
                batch.extend_from_slice(&frame);
                permits.extend(permit);
            }
            output.write_all(&batch).await?;
            output.flush().await?;
            batch.clear();
            batch.shrink_to(BATCH * 2);
            permits.clear();
        }
        Ok(())
    }
}
