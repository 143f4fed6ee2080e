//! A reader of a session's log, from host to host.

use std::sync::Arc;

use carrel_contract::{EventStream, Seq, SessionState, StreamItem};
use futures::stream;

use super::channel::Channel;
use super::feed::{End, Following};
use super::names::Names;
use super::residence::{Residence, lock};

/// See the [module](self).
pub(super) struct Follower {
    inner: Arc<Residence>,
    after: Seq,
    following: Option<(Following, Names)>,
}

impl Follower {
    /// Reads what comes after a cursor. It has begun when this returns: what holds the session may be gone by the first
    /// poll.
    pub(super) fn begin(inner: &Arc<Residence>, after: Seq) -> EventStream {
        let channel = inner.channel();
        let names = inner.names(&channel);
        let following = Some((channel.follow(names.seq_inward(after).0), names));
        let follower = Self { inner: Arc::clone(inner), after, following };
        Box::pin(stream::unfold(follower, |mut follower| async move {
            let item = follower.next().await?;
            Some((item, follower))
        }))
    }

    async fn next(&mut self) -> Option<StreamItem> {
        loop {
            if self.following.is_none() {
                let channel = self.another().await?;
                let names = self.inner.names(&channel);
                let after = names.seq_inward(self.after).0;
                self.following = Some((channel.follow(after), names));
            }
            let (following, names) = self.following.as_ref()?;
            match following.next().await {
                Ok(item) => {
                    let item = outward(item, names)?;
                    self.after = match &item {
                        StreamItem::Event(event) => event.seq,
                        StreamItem::Missed { last_missed, .. } => *last_missed,
                    };
                    let mut state = self.inner.state();
                    state.newest = state.newest.max(self.after.min(Seq(u64::MAX / 2)));
                    drop(state);
                    return Some(item);
                }
                Err(End::Over) => return None,
                Err(End::Lost) => {
                    let channel = Arc::clone(&following.channel);
                    self.inner.note_loss(&channel);
                    let told = lock(&self.inner.ledger).event_after(self.after);
                    if let Some(event) = told {
                        return Some(self.lost(event));
                    }
                    self.following = None;
                }
            }
        }
    }

    /// Tells of a cell that was lost; first, of what this reader has not seen before it.
    fn lost(&mut self, event: carrel_contract::Event) -> StreamItem {
        let next = self.after.next();
        if event.seq > next {
            let last_missed = Seq(event.seq.0 - 1);
            self.after = last_missed;
            return StreamItem::Missed { first_missed: next, last_missed };
        }
        self.after = event.seq;
        StreamItem::Event(event)
    }

    /// Waits for another host than the one that was lost.
    async fn another(&self) -> Option<Arc<Channel>> {
        let mut moved = self.inner.moved.subscribe();
        loop {
            let channel = self.inner.channel();
            if !channel.connection().is_lost() {
                return Some(channel);
            }
            {
                let state = self.inner.state();
                if state.is_released || state.is_closed || channel.state() != SessionState::Open {
                    return None;
                }
            }
            if self.inner.is_journaled() {
                return self.inner.live().await.ok();
            }
            moved.changed().await.ok()?;
        }
    }
}

fn outward(item: StreamItem, names: &Names) -> Option<StreamItem> {
    Some(match item {
        StreamItem::Event(mut event) => {
            event.seq = names.seq_outward(event.seq);
            event.cell_id = names.outward(&event.cell_id).ok()?;
            StreamItem::Event(event)
        }
        StreamItem::Missed { first_missed, last_missed } => StreamItem::Missed {
            first_missed: names.seq_outward(first_missed),
            last_missed: names.seq_outward(last_missed),
        },
    })
}
