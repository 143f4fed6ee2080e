//! One stream of a connection: what waits to be written on it, and how much either side may have under way.

use std::collections::VecDeque;
use std::sync::Arc;

use carrel_wire::frame::{self, Kind, MAX_PAYLOAD, WINDOW};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::outbox::HeldBytes;

/// The bytes that a stream may have waiting here before whoever has more waits.
pub(super) const ROOM: usize = 1024 * 1024;

/// See the [module](self).
pub(super) struct Lane {
    /// What leaves in order.
    pub(super) ordered: VecDeque<Message>,
    /// Large messages that may be passed.
    pub(super) aside: VecDeque<Message>,
    /// The payload bytes that may leave.
    pub(super) credit: usize,
    pub(super) is_ready: bool,
    pub(super) room: Arc<Semaphore>,
    /// Nothing comes any more.
    pub(super) is_over: bool,
    /// The payload bytes that the peer may send.
    peer_credit: usize,
    /// Those that came, and for which it was given no room yet.
    owed: usize,
    is_owing: bool,
}

/// A message on its way.
pub(super) struct Message {
    bytes: Vec<u8>,
    sent: usize,
    slot: Option<usize>,
    _room: Option<(OwnedSemaphorePermit, HeldBytes)>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            ordered: VecDeque::new(),
            aside: VecDeque::new(),
            credit: WINDOW,
            is_ready: false,
            room: Arc::new(Semaphore::new(ROOM)),
            is_over: false,
            peer_credit: WINDOW,
            owed: 0,
            is_owing: false,
        }
    }

    /// Notes payload that came. Tells whether the peer is to be given room, once for each time that it is.
    pub(super) fn took(&mut self, payload_bytes: usize) -> Result<bool, &'static str> {
        self.peer_credit = self
            .peer_credit
            .checked_sub(payload_bytes)
            .ok_or("it sends more on a stream than it has room for")?;
        self.owed += payload_bytes;
        Ok(self.owed >= WINDOW / 2 && !std::mem::replace(&mut self.is_owing, true))
    }

    /// Gives the peer room for all that came.
    pub(super) fn credit_peer(&mut self) -> u32 {
        let owed = std::mem::take(&mut self.owed);
        self.is_owing = false;
        self.peer_credit += owed;
        // It is a window at most.
        u32::try_from(owed).unwrap_or(u32::MAX)
    }

    /// Writes of this stream what one turn allows. Tells whether a slot became free.
    pub(super) fn turn(
        &mut self,
        stream: u32,
        slots: &mut Vec<usize>,
        wants_slot: &mut bool,
        batch: &mut Vec<u8>,
    ) -> bool {
        let end = batch.len() + MAX_PAYLOAD;
        let mut freed = false;
        while let Some(message) = self.ordered.front_mut() {
            if message.bytes.len() > MAX_PAYLOAD {
                if message.chunk(stream, slots, &mut self.credit, wants_slot, batch) {
                    self.ordered.pop_front();
                    freed = true;
                }
                break;
            }
            if self.credit < message.bytes.len() || batch.len() >= end {
                break;
            }
            self.credit -= message.bytes.len();
            frame::write(stream, Kind::Whole, &message.bytes, batch);
            self.ordered.pop_front();
        }
        if let Some(message) = self.aside.front_mut()
            && message.chunk(stream, slots, &mut self.credit, wants_slot, batch)
        {
            self.aside.pop_front();
            freed = true;
        }
        freed
    }
}

impl Message {
    pub(super) fn new(bytes: Vec<u8>, room: Option<(OwnedSemaphorePermit, HeldBytes)>) -> Self {
        Self { bytes, sent: 0, slot: None, _room: room }
    }

    /// Writes the next chunk, where it may. Tells whether that was the last.
    fn chunk(
        &mut self,
        stream: u32,
        slots: &mut Vec<usize>,
        credit: &mut usize,
        wants_slot: &mut bool,
        batch: &mut Vec<u8>,
    ) -> bool {
        let rest = self.bytes.get(self.sent..).unwrap_or_default();
        let chunk = rest.get(..rest.len().min(MAX_PAYLOAD).min(*credit)).unwrap_or_default();
        if chunk.is_empty() {
            return false;
        }
        let Some(slot) = self.slot.or_else(|| slots.pop()) else {
            *wants_slot = true;
            return false;
        };
        self.slot = Some(slot);
        let last = chunk.len() == rest.len();
        frame::write(stream, Kind::Chunk { slot, last }, chunk, batch);
        *credit -= chunk.len();
        self.sent += chunk.len();
        if last {
            slots.push(slot);
        }
        last
    }
}
