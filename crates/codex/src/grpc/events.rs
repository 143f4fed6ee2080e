//! What a session tells its client, in order: the stream that is the session's lease.
//!
//! Notifications wait until there is room for them, so a client that does not read costs bounded memory. What else is told is
//! small, and no more than the client's own requests and calls.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use carrel_contract::CancellationToken;
use futures::Stream;
use prost::Message;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::Status;

use super::lease::Lease;
use super::{MAX_MESSAGE_BYTES, messages as m};

/// The bytes of notifications that may be on their way. One that is larger waits until no other is.
const ROOM: usize = 16 * 1024 * 1024;

type Queued = (m::SessionEvent, Option<OwnedSemaphorePermit>);

/// Where events go in.
pub(super) struct Events {
    /// Gone when the session is.
    queue: Mutex<Option<mpsc::UnboundedSender<Queued>>>,
    room: Arc<Semaphore>,
}

impl Events {
    /// Makes them, and what they come out of.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Queued>) {
        #[expect(
            clippy::disallowed_methods,
            reason = "bounded by bytes, and by the client's requests and calls"
        )]
        let (queue, received) = mpsc::unbounded_channel();
        (Self { queue: Mutex::new(Some(queue)), room: Arc::new(Semaphore::new(ROOM)) }, received)
    }

    /// Tells something small at once.
    pub(super) fn tell(&self, event: m::SessionEventEvent) {
        self.queue(event, None);
    }

    /// Gives the client a notification when there is room for it.
    pub(super) async fn notify(
        &self,
        told: m::Notification,
        cancel: CancellationToken,
    ) -> Result<(), String> {
        let event = m::SessionEventEvent::Notification(told);
        let length = m::SessionEvent { event: Some(event.clone()) }.encoded_len();
        if length > MAX_MESSAGE_BYTES {
            return Err(format!("code-mode IPC frame length {length} exceeds {MAX_MESSAGE_BYTES} bytes"));
        }
        let bytes = u32::try_from(length.min(ROOM)).unwrap_or(u32::MAX);
        let room = tokio::select! {
            biased;
            room = Arc::clone(&self.room).acquire_many_owned(bytes) => room.ok(),
            () = cancel.cancelled() => return Err("code-mode callback cancelled".to_owned()),
        };
        self.queue(event, room);
        Ok(())
    }

    fn queue(&self, event: m::SessionEventEvent, room: Option<OwnedSemaphorePermit>) {
        if let Some(queue) = &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            // A client that is gone hears nothing.
            queue.send((m::SessionEvent { event: Some(event) }, room)).ok();
        }
    }

    /// Ends the stream, after what is on its way.
    pub(super) fn end(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Where they come out. Dropping it gives the lease up.
pub(super) struct SessionEvents {
    received: mpsc::UnboundedReceiver<Queued>,
    lease: Arc<Lease>,
}

impl SessionEvents {
    pub(super) fn new(received: mpsc::UnboundedReceiver<Queued>, lease: Arc<Lease>) -> Self {
        Self { received, lease }
    }
}

impl Stream for SessionEvents {
    type Item = Result<m::SessionEvent, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.received.poll_recv(cx).map(|queued| queued.map(|(event, _)| Ok(event)))
    }
}

impl Drop for SessionEvents {
    fn drop(&mut self) {
        Arc::clone(&self.lease).abandon();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn message(bytes: usize) -> m::Notification {
        m::Notification { text: "x".repeat(bytes), ..m::Notification::default() }
    }

    #[test]
    fn notifications_wait_for_room_and_nothing_else_does() {
        let (events, mut received) = Events::new();
        let cancel = CancellationToken::new();
        let give = |bytes| Box::pin(events.notify(message(bytes), cancel.clone()));
        // Larger than all the room there is, and the only one.
        assert_eq!(give(2 * ROOM).now_or_never(), Some(Ok(())));
        let mut second = give(1);
        assert_eq!((&mut second).now_or_never(), None);
        events.tell(m::SessionEventEvent::CellClosed(m::CellClosed::default()));
        assert!(received.try_recv().is_ok_and(|(event, _)| event.encoded_len() > ROOM));
        assert_eq!(second.now_or_never(), Some(Ok(())));
        assert_eq!(give(ROOM).now_or_never(), None);
        cancel.cancel();
        assert!(give(ROOM).now_or_never().is_some_and(|given| given.is_err()));
        let cells = std::iter::from_fn(|| received.try_recv().ok()).map(|(event, _)| event.event);
        let kinds: Vec<_> = cells.map(|it| matches!(it, Some(m::SessionEventEvent::CellClosed(_)))).collect();
        assert_eq!(kinds, [true, false], "in the order in which they went in");
    }

    #[test]
    fn a_notification_over_the_limit_of_messages_is_refused() {
        let (events, mut received) = Events::new();
        let given = events.notify(message(MAX_MESSAGE_BYTES), CancellationToken::new()).now_or_never();
        assert!(given.is_some_and(|given| given.is_err_and(|why| why.ends_with("exceeds 67108864 bytes"))));
        assert!(received.try_recv().is_err());
    }
}
