//! Entries of a log on their way to a reader, no more of them than the host was given room for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::StreamItem;
use carrel_wire::{ToHost, encode};
use tokio::sync::Notify;

use super::channel::Channel;
use crate::link::size;

/// The entries that may be on their way.
pub(super) const ROOM: u32 = 256;
/// The bytes of output in them.
const BYTES: usize = 1 << 30;

/// The entries that are here.
#[derive(Default)]
pub(super) struct Feed {
    state: Mutex<State>,
    filled: Notify,
}

#[derive(Default)]
struct State {
    items: VecDeque<StreamItem>,
    bytes: usize,
    taken: u32,
    end: Option<End>,
}

/// Why nothing comes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The log is over.
    Over,
    /// The host is gone.
    Lost,
}

impl Feed {
    /// Takes what came. Tells whether the host had room for it.
    #[must_use]
    pub(super) fn put(&self, items: Vec<StreamItem>, is_over: bool) -> bool {
        let mut state = self.lock();
        state.bytes += items.iter().map(size).sum::<usize>();
        state.items.extend(items);
        if is_over {
            state.end = Some(End::Over);
        }
        let within = state.items.len() <= usize::try_from(ROOM).unwrap_or(usize::MAX) && state.bytes <= BYTES;
        drop(state);
        self.filled.notify_one();
        within
    }

    pub(super) fn lose(&self) {
        self.lock().end.get_or_insert(End::Lost);
        self.filled.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader's end. Dropping it tells the host.
pub(super) struct Following {
    pub(super) channel: Arc<Channel>,
    pub(super) request: u64,
    pub(super) feed: Arc<Feed>,
}

impl Following {
    /// Waits for the next entry. Cancel safe.
    pub(super) async fn next(&self) -> Result<StreamItem, End> {
        loop {
            {
                let mut state = self.feed.lock();
                if let Some(item) = state.items.pop_front() {
                    state.bytes -= size(&item);
                    state.taken += 1;
                    let room = state.taken;
                    if room >= ROOM / 2 {
                        state.taken = 0;
                        drop(state);
                        self.channel.push(&ToHost::MakeRoom { request: self.request, room });
                    }
                    return Ok(item);
                }
                if let Some(end) = state.end {
                    return Err(end);
                }
            }
            self.feed.filled.notified().await;
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.channel.connection().forget(self.request);
        self.channel
            .connection()
            .outbox
            .push(self.channel.stream, encode(&ToHost::Cancel { request: self.request }));
    }
}
