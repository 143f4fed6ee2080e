//! Follows the log for `events()`.

use std::sync::Arc;

use carrel_contract::{EventStream, Seq, StreamItem};
use futures::stream;

use super::session_log::SessionLog;
use crate::seat::Seat;

/// Reads the log of a session after a cursor, then follows it until it is closed, or can no longer be written down. Nobody
/// is ever blocked by a reader that does not read, and a session that has nothing new sleeps on.
pub(crate) fn follow(seat: Arc<Seat>, after: Seq) -> EventStream {
    Box::pin(stream::unfold((seat, after), move |(seat, after)| async move {
        let item = next(&seat, after).await?;
        let read = match &item {
            StreamItem::Event(event) => event.seq,
            StreamItem::Missed { last_missed, .. } => *last_missed,
        };
        Some((item, (seat, read)))
    }))
}

async fn next(seat: &Arc<Seat>, after: Seq) -> Option<StreamItem> {
    let mut changed = seat.changed.subscribe();
    loop {
        changed.mark_unchanged();
        if seat.asleep_at().is_some_and(|last| after >= last) {
            if seat.is_left() || seat.is_stuck() {
                return None;
            }
            changed.changed().await.ok()?;
            continue;
        }
        // Not a use: whoever only listens does not keep a session in memory.
        let core = match seat.listen() {
            Some(core) => core,
            None => Arc::clone(&*seat.enter().await.ok()?),
        };
        tokio::select! {
            biased;
            item = core.log.next_after(after) => {
                let item = item?;
                core.settled().await.ok()?;
                return Some(item);
            }
            _ = changed.changed() => {}
        }
    }
}

impl SessionLog {
    /// Waits for what comes after a cursor; `None` when nothing will. Cancel safe: nothing is consumed.
    async fn next_after(&self, after: Seq) -> Option<StreamItem> {
        loop {
            let appended = self.appended.notified();
            {
                let state = self.lock();
                if after < state.last {
                    let oldest = state.recent.front().map_or(state.last.next(), |event| event.seq);
                    if after.next() < oldest {
                        let (first_missed, last_missed) = (after.next(), Seq(oldest.0 - 1));
                        return Some(StreamItem::Missed { first_missed, last_missed });
                    }
                    let index = usize::try_from(after.next().0 - oldest.0).unwrap_or(usize::MAX);
                    if let Some(event) = state.recent.get(index) {
                        return Some(StreamItem::Event(event.clone()));
                    }
                }
                if state.closed {
                    return None;
                }
            }
            appended.await;
        }
    }
}
