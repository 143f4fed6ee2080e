//! What waits to be written, stream by stream.
//!
//! Streams take turns. Messages of one stream leave in the order in which they came, but for answers to tool calls, whose order means nothing:
//! large ones of these stand aside, so that small messages of the same stream pass them. Large messages travel in chunks.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_wire::frame::{self, Kind, MAX_PAYLOAD, SLOTS, WINDOW};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The most that is written at once.
const BATCH: usize = 128 * 1024;
/// The bytes that a stream may have waiting here before whoever has more waits.
const ROOM: usize = 1024 * 1024;

/// See the [module](self).
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Wakes the writer.
    filled: Notify,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The connection is closed.
    Closed,
    /// The peer takes no message of this length.
    TooLarge,
}

#[derive(Default)]
struct State {
    lanes: HashMap<u32, Lane>,
    /// The streams that may have something to write, each once.
    ready: VecDeque<u32>,
    /// The streams with a large message that waits for a slot.
    without_slot: Vec<u32>,
    free_slots: Vec<usize>,
    credits: Vec<(u32, u32)>,
    max_message_bytes: usize,
    is_finishing: bool,
    is_closed: bool,
}

struct Lane {
    /// What leaves in order.
    ordered: VecDeque<Message>,
    /// Large messages that may be passed.
    aside: VecDeque<Message>,
    /// The payload bytes that may leave.
    credit: usize,
    is_ready: bool,
    room: Arc<Semaphore>,
    /// Nothing comes any more.
    is_over: bool,
}

struct Message {
    bytes: Vec<u8>,
    sent: usize,
    slot: Option<usize>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        let state =
            State { free_slots: (0..SLOTS).collect(), max_message_bytes: usize::MAX, ..State::default() };
        Self { state: Mutex::new(state), filled: Notify::new() }
    }

    /// Says what the peer takes at most.
    pub(crate) fn set_max_message_bytes(&self, bytes: u64) {
        self.lock().max_message_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    }

    /// Takes a message once there is room for it. Cancel safe: a future that is dropped has sent nothing.
    pub(crate) async fn send(&self, stream: u32, bytes: Vec<u8>) -> Result<(), Unsent> {
        self.send_as(stream, bytes, false).await
    }

    /// The same for a message that others of its stream may pass.
    pub(crate) async fn send_aside(&self, stream: u32, bytes: Vec<u8>) -> Result<(), Unsent> {
        self.send_as(stream, bytes, true).await
    }

    async fn send_as(&self, stream: u32, bytes: Vec<u8>, aside: bool) -> Result<(), Unsent> {
        let room = {
            let mut state = self.lock();
            if state.is_closed {
                return Err(Unsent::Closed);
            }
            if bytes.len() > state.max_message_bytes {
                return Err(Unsent::TooLarge);
            }
            Arc::clone(&state.lane(stream).room)
        };
        let wanted = u32::try_from(bytes.len().clamp(1, ROOM)).unwrap_or(u32::MAX);
        let room = room.acquire_many_owned(wanted).await.map_err(|_| Unsent::Closed)?;
        self.put(stream, bytes, Some(room), aside)
    }

    /// Takes a small message at once. There are few of these for each larger one, or for each that the peer sends.
    pub(crate) fn push(&self, stream: u32, bytes: Vec<u8>) {
        // Nobody is left to tell on a closed connection.
        self.put(stream, bytes, None, false).ok();
    }

    fn put(
        &self,
        stream: u32,
        bytes: Vec<u8>,
        room: Option<OwnedSemaphorePermit>,
        aside: bool,
    ) -> Result<(), Unsent> {
        {
            let mut state = self.lock();
            if state.is_closed {
                return Err(Unsent::Closed);
            }
            let aside = aside && bytes.len() > MAX_PAYLOAD;
            let lane = state.lane(stream);
            let message = Message { bytes, sent: 0, slot: None, _room: room };
            if aside {
                lane.aside.push_back(message);
            } else {
                lane.ordered.push_back(message);
            }
            state.make_ready(stream);
        }
        self.filled.notify_one();
        Ok(())
    }

    /// Gives the peer room on a stream.
    pub(super) fn give_credit(&self, stream: u32, bytes: u32) {
        self.lock().credits.push((stream, bytes));
        self.filled.notify_one();
    }

    /// Takes room that the peer gives on a stream.
    pub(super) fn take_credit(&self, stream: u32, bytes: u32) {
        {
            let mut state = self.lock();
            let Some(lane) = state.lanes.get_mut(&stream) else { return };
            lane.credit = lane.credit.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
            state.make_ready(stream);
        }
        self.filled.notify_one();
    }

    /// Forgets a stream once what waits on it is written.
    pub(crate) fn end_stream(&self, stream: u32) {
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get_mut(&stream) {
            lane.is_over = true;
            state.forget(stream);
        }
    }

    /// Ends the writing once all that waits is written.
    pub(crate) fn finish(&self) {
        self.lock().is_finishing = true;
        self.filled.notify_one();
    }

    /// Takes nothing any more, and forgets what waits.
    pub(crate) fn close(&self) {
        let lanes = {
            let mut state = self.lock();
            state.is_closed = true;
            state.ready.clear();
            std::mem::take(&mut state.lanes)
        };
        lanes.values().for_each(|lane| lane.room.close());
        self.filled.notify_one();
    }

    /// Writes what comes, until it is finished or closed.
    pub(crate) async fn write_to(&self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut batch = Vec::with_capacity(4096);
        loop {
            let is_over = {
                let mut state = self.lock();
                state.fill(&mut batch);
                state.is_finishing || state.is_closed
            };
            if !batch.is_empty() {
                writer.write_all(&batch).await?;
                batch.clear();
            } else if is_over {
                return writer.flush().await;
            } else {
                self.filled.notified().await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lane(&mut self, stream: u32) -> &mut Lane {
        self.lanes.entry(stream).or_insert_with(|| Lane {
            ordered: VecDeque::new(),
            aside: VecDeque::new(),
            credit: WINDOW,
            is_ready: false,
            room: Arc::new(Semaphore::new(ROOM)),
            is_over: false,
        })
    }

    fn make_ready(&mut self, stream: u32) {
        if let Some(lane) = self.lanes.get_mut(&stream)
            && !std::mem::replace(&mut lane.is_ready, true)
        {
            self.ready.push_back(stream);
        }
    }

    fn forget(&mut self, stream: u32) {
        if self
            .lanes
            .get(&stream)
            .is_some_and(|lane| lane.is_over && lane.ordered.is_empty() && lane.aside.is_empty())
        {
            self.lanes.remove(&stream);
        }
    }

    /// Gathers what may leave now.
    fn fill(&mut self, batch: &mut Vec<u8>) {
        for (stream, bytes) in self.credits.drain(..) {
            frame::write(stream, Kind::Credit, &bytes.to_le_bytes(), batch);
        }
        while batch.len() < BATCH {
            let Some(stream) = self.ready.pop_front() else { return };
            let Some(lane) = self.lanes.get_mut(&stream) else { continue };
            lane.is_ready = false;
            let before = batch.len();
            let mut wants_slot = false;
            let freed = lane.turn(stream, &mut self.free_slots, &mut wants_slot, batch);
            let may_go_on = batch.len() > before && !(lane.ordered.is_empty() && lane.aside.is_empty());
            if may_go_on {
                self.make_ready(stream);
            } else if wants_slot {
                self.without_slot.push(stream);
            }
            if freed {
                for waiting in std::mem::take(&mut self.without_slot) {
                    self.make_ready(waiting);
                }
            }
            self.forget(stream);
        }
    }
}

impl Lane {
    /// Writes of this stream what one turn allows. Tells whether a slot became free.
    fn turn(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::read_messages;

    /// Writes all that may leave and reads it on the other side.
    async fn carried(outbox: &Outbox) -> Vec<(u32, usize)> {
        outbox.finish();
        let mut bytes = Vec::new();
        outbox.write_to(&mut bytes).await.unwrap();
        let mut got = Vec::new();
        let deliver = |stream: u32, message: &[u8]| {
            got.push((stream, message.len()));
            Ok(true)
        };
        read_messages(&mut bytes.as_slice(), &Outbox::new(), 1 << 20, deliver).await.unwrap();
        got
    }

    #[tokio::test]
    async fn small_messages_pass_large_ones_of_other_streams() {
        let outbox = Outbox::new();
        outbox.send(1, vec![1; 200_000]).await.unwrap();
        outbox.send(2, vec![2; 10]).await.unwrap();
        outbox.send(1, vec![3; 20]).await.unwrap();
        assert_eq!(carried(&outbox).await, [(2, 10), (1, 200_000), (1, 20)]);
    }

    #[tokio::test]
    async fn answers_are_passed_by_messages_of_their_own_stream() {
        let outbox = Outbox::new();
        outbox.send_aside(1, vec![1; 200_000]).await.unwrap();
        outbox.send(1, vec![3; 20]).await.unwrap();
        assert_eq!(carried(&outbox).await, [(1, 20), (1, 200_000)]);
    }

    #[tokio::test]
    async fn nothing_leaves_beyond_what_the_peer_has_room_for() {
        let outbox = Outbox::new();
        for _ in 0..100 {
            outbox.send(1, vec![1; 10_000]).await.unwrap();
        }
        outbox.send(2, vec![2; 5]).await.unwrap();
        let got = carried(&outbox).await;
        assert_eq!(got.iter().filter(|(stream, _)| *stream == 1).count(), WINDOW / 10_000);
        assert!(got.contains(&(2, 5)));
        outbox.take_credit(1, 20_000);
        assert_eq!(carried(&outbox).await.len(), 2);
    }

    #[tokio::test]
    async fn more_large_messages_than_slots_wait_their_turn() {
        let outbox = Outbox::new();
        for stream in 1..=10 {
            outbox.send(stream, vec![0; 100_000]).await.unwrap();
        }
        assert_eq!(carried(&outbox).await.len(), 10);
    }

    #[tokio::test]
    async fn who_has_too_much_waits_for_room() {
        let outbox = Outbox::new();
        outbox.send(1, vec![0; ROOM]).await.unwrap();
        let mut more = Box::pin(outbox.send(1, vec![0; 1]));
        assert!(futures::FutureExt::now_or_never(&mut more).is_none());
        outbox.close();
        assert_eq!(more.await, Err(Unsent::Closed));
    }
}
