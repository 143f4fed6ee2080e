//! What waits to be written, stream by stream.
//!
//! Streams take turns. Messages of one stream leave in the order in which they came, but for answers to tool calls, whose order means nothing:
//! large ones of these stand aside, so that small messages of the same stream pass them. Large messages travel in chunks.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_wire::frame::{self, Kind, MAX_PAYLOAD, SLOTS};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::lane::{Lane, Message, ROOM};
use super::{LinkError, turn};

/// The most that is written at once.
const BATCH: usize = 128 * 1024;
/// How often others have their turn before what they said is written.
const TURNS: usize = 16;
/// The bytes of replies that may wait, on all streams together, for a peer that does not read them.
const MOST_HELD: usize = 1 << 30;

/// See the [module](self).
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Wakes the writer.
    filled: Notify,
    /// The bytes of what waits here, or for room here.
    held: Arc<AtomicUsize>,
    most_held: usize,
    /// Wakes whoever has to know that it is too much.
    overflown: Notify,
}

/// What was gathered and is not written yet.
#[derive(Default)]
pub(crate) struct Unwritten {
    bytes: Vec<u8>,
    written: usize,
}

/// Bytes of a message, until it is written or given up.
pub(super) struct HeldBytes {
    held: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The connection is closed, or the stream has ended.
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
    /// The streams whose peer is owed room, each once.
    credits: Vec<u32>,
    /// The messages that were ever put here.
    messages: u64,
    max_message_bytes: usize,
    is_finishing: bool,
    is_closed: bool,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        let state =
            State { free_slots: (0..SLOTS).collect(), max_message_bytes: usize::MAX, ..State::default() };
        let outbox = Self {
            state: Mutex::new(state),
            filled: Notify::new(),
            held: Arc::default(),
            most_held: MOST_HELD,
            overflown: Notify::new(),
        };
        // The connection itself.
        outbox.open_stream(0);
        outbox
    }

    /// Says what the peer takes at most: what one frame carries, at least.
    pub(crate) fn set_max_message_bytes(&self, bytes: u64) {
        self.lock().max_message_bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(MAX_PAYLOAD);
    }

    /// Has messages of a stream from now on. What is said on one that was not opened, or has ended, goes nowhere.
    pub(crate) fn open_stream(&self, stream: u32) {
        let mut state = self.lock();
        if !state.is_closed {
            state.lanes.entry(stream).or_insert_with(Lane::new);
        }
    }

    /// Waits until more is held for the peer than a peer may leave unread.
    pub(crate) async fn overflown(&self) -> LinkError {
        while self.held.load(Ordering::Relaxed) <= self.most_held {
            self.overflown.notified().await;
        }
        LinkError::Protocol("it does not read what it asked for")
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
            if bytes.len() > state.max_message_bytes {
                return Err(Unsent::TooLarge);
            }
            Arc::clone(&state.lanes.get_mut(&stream).ok_or(Unsent::Closed)?.room)
        };
        let held = self.hold(bytes.len());
        let wanted = u32::try_from(bytes.len().clamp(1, ROOM)).unwrap_or(u32::MAX);
        let room = room.acquire_many_owned(wanted).await.map_err(|_| Unsent::Closed)?;
        self.put(stream, bytes, Some((room, held)), aside)
    }

    /// Takes a small message at once. There are few of these for each larger one, or for each that the peer sends.
    pub(crate) fn push(&self, stream: u32, bytes: Vec<u8>) {
        // Nobody is left to tell on a closed connection.
        self.put(stream, bytes, None, false).ok();
    }

    /// Takes a message if there is room for it just now.
    pub(crate) fn offer(&self, stream: u32, bytes: Vec<u8>) {
        let Some(room) = self.lock().lanes.get(&stream).map(|lane| Arc::clone(&lane.room)) else { return };
        let wanted = u32::try_from(bytes.len().clamp(1, ROOM)).unwrap_or(u32::MAX);
        let held = self.hold(bytes.len());
        if let Ok(room) = room.try_acquire_many_owned(wanted) {
            // Nobody is left to tell on a closed connection.
            self.put(stream, bytes, Some((room, held)), false).ok();
        }
    }

    fn hold(&self, bytes: usize) -> HeldBytes {
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most_held {
            self.overflown.notify_one();
        }
        HeldBytes { held: Arc::clone(&self.held), bytes }
    }

    fn put(
        &self,
        stream: u32,
        bytes: Vec<u8>,
        room: Option<(OwnedSemaphorePermit, HeldBytes)>,
        aside: bool,
    ) -> Result<(), Unsent> {
        {
            let mut state = self.lock();
            let aside = aside && bytes.len() > MAX_PAYLOAD;
            let lane = state.lanes.get_mut(&stream).ok_or(Unsent::Closed)?;
            let message = Message::new(bytes, room);
            if aside {
                lane.aside.push_back(message);
            } else {
                lane.ordered.push_back(message);
            }
            state.messages += 1;
            state.make_ready(stream);
        }
        self.filled.notify_one();
        Ok(())
    }

    /// Notes payload that came on a stream, and gives the peer room for as much when it is half of what there may be.
    /// The peer is held to the room that it was given.
    pub(super) fn took(&self, stream: u32, payload_bytes: usize) -> Result<(), LinkError> {
        let mut state = self.lock();
        // What comes late on a stream that is over is passed over.
        let Some(lane) = state.lanes.get_mut(&stream) else { return Ok(()) };
        if lane.took(payload_bytes).map_err(LinkError::Protocol)? {
            state.credits.push(stream);
            drop(state);
            self.filled.notify_one();
        }
        Ok(())
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

    /// Writes what comes, until it is finished or closed. Cancel safe with the same `batch`.
    pub(crate) async fn write_to(
        &self,
        batch: &mut Unwritten,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        loop {
            while let Some(rest) = batch.bytes.get(batch.written..).filter(|rest| !rest.is_empty()) {
                match writer.write(rest).await? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    written => batch.written += written,
                }
            }
            batch.bytes.clear();
            batch.written = 0;
            let is_over = {
                let mut state = self.lock();
                state.fill(&mut batch.bytes);
                state.is_finishing || state.is_closed
            };
            if !batch.bytes.is_empty() {
                continue;
            }
            if is_over {
                return writer.flush().await;
            }
            let before = self.lock().messages;
            self.filled.notified().await;
            self.gather(before).await;
        }
    }

    /// Waits while those whose turn it is have more to say: all of it takes one write, and wakes the peer once.
    async fn gather(&self, mut before: u64) {
        for _ in 0..TURNS {
            let messages = self.lock().messages;
            if std::mem::replace(&mut before, messages) == messages {
                return;
            }
            turn().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
        for stream in self.credits.drain(..) {
            let Some(lane) = self.lanes.get_mut(&stream) else { continue };
            frame::write(stream, Kind::Credit, &lane.credit_peer().to_le_bytes(), batch);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Receiver, read_messages};

    #[derive(Default)]
    struct Got(Vec<(u32, usize)>);

    impl Receiver for Got {
        fn longest(&self, _: u32) -> usize {
            1 << 20
        }

        fn take(&mut self, stream: u32, message: &[u8]) -> Result<(), LinkError> {
            self.0.push((stream, message.len()));
            Ok(())
        }
    }

    fn outbox() -> Outbox {
        let outbox = Outbox::new();
        (1..=10).for_each(|stream| outbox.open_stream(stream));
        outbox
    }

    /// Writes all that may leave and reads it on the other side.
    async fn carried(outbox: &Outbox) -> Vec<(u32, usize)> {
        outbox.finish();
        let mut bytes = Vec::new();
        outbox.write_to(&mut Unwritten::default(), &mut bytes).await.unwrap();
        let mut got = Got::default();
        read_messages(&mut bytes.as_slice(), &Outbox::new(), &mut got).await.unwrap();
        got.0
    }

    #[tokio::test]
    async fn small_messages_pass_large_ones_of_other_streams() {
        let outbox = outbox();
        outbox.send(1, vec![1; 200_000]).await.unwrap();
        outbox.send(2, vec![2; 10]).await.unwrap();
        outbox.send(1, vec![3; 20]).await.unwrap();
        assert_eq!(carried(&outbox).await, [(2, 10), (1, 200_000), (1, 20)]);
    }

    #[tokio::test]
    async fn answers_are_passed_by_messages_of_their_own_stream() {
        let outbox = outbox();
        outbox.send_aside(1, vec![1; 200_000]).await.unwrap();
        outbox.send(1, vec![3; 20]).await.unwrap();
        assert_eq!(carried(&outbox).await, [(1, 20), (1, 200_000)]);
    }

    #[tokio::test]
    async fn nothing_leaves_beyond_what_the_peer_has_room_for() {
        let outbox = outbox();
        for _ in 0..100 {
            outbox.send(1, vec![1; 10_000]).await.unwrap();
        }
        outbox.send(2, vec![2; 5]).await.unwrap();
        let got = carried(&outbox).await;
        assert_eq!(got.iter().filter(|(stream, _)| *stream == 1).count(), frame::WINDOW / 10_000);
        assert!(got.contains(&(2, 5)));
        outbox.take_credit(1, 20_000);
        assert_eq!(carried(&outbox).await.len(), 2);
    }

    #[tokio::test]
    async fn more_large_messages_than_slots_wait_their_turn() {
        let outbox = outbox();
        for stream in 1..=10 {
            outbox.send(stream, vec![0; 100_000]).await.unwrap();
        }
        assert_eq!(carried(&outbox).await.len(), 10);
    }

    #[tokio::test]
    async fn who_has_too_much_waits_for_room() {
        let outbox = outbox();
        outbox.send(1, vec![0; ROOM]).await.unwrap();
        let mut more = Box::pin(outbox.send(1, vec![0; 1]));
        assert!(futures::FutureExt::now_or_never(&mut more).is_none());
        outbox.close();
        assert_eq!(more.await, Err(Unsent::Closed));
    }

    #[tokio::test]
    async fn what_is_said_on_a_stream_that_has_ended_goes_nowhere() {
        let outbox = outbox();
        outbox.end_stream(1);
        outbox.push(1, vec![1]);
        assert_eq!(outbox.send(1, vec![1]).await, Err(Unsent::Closed));
        outbox.push(2, vec![2]);
        outbox.end_stream(2);
        assert_eq!(carried(&outbox).await, [(2, 1)]);
        assert_eq!(outbox.lock().lanes.len(), 9);
    }

    #[tokio::test]
    async fn replies_that_nobody_reads_are_bounded() {
        let mut outbox = outbox();
        outbox.most_held = 8 * ROOM;
        let message = vec![0; ROOM];
        let mut waiting: Vec<_> = (0..9).map(|_| Box::pin(outbox.send(1, message.clone()))).collect();
        for sending in &mut waiting {
            let sent = futures::FutureExt::now_or_never(sending);
            assert!(sent.is_none_or(|sent| sent.is_ok()));
        }
        assert!(futures::FutureExt::now_or_never(outbox.overflown()).is_some());
        drop(waiting);
        outbox.close();
        assert!(futures::FutureExt::now_or_never(outbox.overflown()).is_none());
    }
}
