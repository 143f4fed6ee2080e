//! Follows a session's log for a client, no further than the client has room.

use std::sync::Arc;

use carrel_contract::EventStream;
use carrel_wire::{Item, ToClient, encode};
use futures::{FutureExt, StreamExt};
use tokio::sync::Semaphore;

use super::opened::Stream;
use crate::link::size;

/// The most entries of one message.
const BATCH: usize = 64;
/// The bytes of output from which on a message is sent without more.
const BATCH_BYTES: usize = 16 * 1024;

/// Sends entries until the log ends, or the connection. What the session drops meanwhile, because the client is slow, the log itself tells.
pub(super) async fn follow(stream: Arc<Stream>, request: u64, mut events: EventStream, room: Arc<Semaphore>) {
    loop {
        let Ok(first) = room.acquire().await else { return };
        first.forget();
        let mut items = Vec::new();
        let mut bytes = 0;
        let mut next = events.next().await;
        let end = loop {
            let Some(item) = next else { break true };
            bytes += size(&item);
            items.push(Item::from(item));
            if items.len() >= BATCH || bytes >= BATCH_BYTES {
                break false;
            }
            let Ok(another) = room.try_acquire() else { break false };
            let Some(ready) = events.next().now_or_never() else { break false };
            another.forget();
            next = ready;
        };
        let message = encode(&ToClient::Events { request, items, end });
        if stream.outbox.send(stream.number, message).await.is_err() || end {
            return;
        }
    }
}
