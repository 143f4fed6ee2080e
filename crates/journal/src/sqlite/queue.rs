//! The way to a store's threads: what is pushed is taken in the order of the calls, and the queue is bounded by cost.
//!
//! One that finds no room waits in line as a future; the thread that takes blocks. Neither side needs an executor.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A bounded queue between futures and threads.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    /// What all items in the queue may cost together; one that costs more alone gets in when it is empty.
    limit: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(T, usize)>,
    cost: usize,
    /// Who waits for room, first come first; each has a ticket and, once polled, a waker.
    line: VecDeque<(u64, Option<Waker>)>,
    tickets: u64,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(limit: usize) -> Self {
        let state =
            State { items: VecDeque::new(), cost: 0, line: VecDeque::new(), tickets: 0, closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing under the lock leaves it half done and panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item in, now where there is room, else when the future is polled after there is. The future resolves to
    /// false when the queue is closed and the item dropped.
    pub(super) fn push(self: &Arc<Self>, item: T, cost: usize) -> Push<T> {
        let mut state = self.lock();
        let place = if state.closed {
            Place::Refused
        } else if state.line.is_empty() && state.has_room(cost, self.limit) {
            state.put(item, cost);
            self.filled.notify_one();
            Place::In
        } else {
            let ticket = state.tickets;
            state.tickets += 1;
            state.line.push_back((ticket, None));
            Place::Line { ticket, item, cost }
        };
        drop(state);
        Push { queue: Arc::clone(self), place: Some(place) }
    }

    /// Waits for items, and takes the first with further ones as long as they cost no more than `most` together. `None`
    /// when the queue is closed and empty.
    pub(super) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut taken, mut cost) = (Vec::new(), 0);
        while let Some((_, next)) = state.items.front() {
            cost += next;
            if cost > most && !taken.is_empty() {
                break;
            }
            if let Some((item, cost)) = state.items.pop_front() {
                state.cost -= cost;
                taken.push(item);
            }
        }
        state.wake_first();
        Some(taken)
    }

    /// Takes nothing more in. What is in can still be taken.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for (_, waker) in &mut state.line {
            waker.take().into_iter().for_each(Waker::wake);
        }
        self.filled.notify_all();
    }

    /// Closes, and drops what is in: nobody takes it any more.
    fn abandon(&self) {
        self.close();
        let items = std::mem::take(&mut self.lock().items);
        drop(items);
    }
}

/// Sees that a queue is not left open by a thread that took from it and panicked: whoever pushed would wait for ever.
pub(super) struct Taker<'a, T>(pub(super) &'a Queue<T>);

impl<T> Drop for Taker<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abandon();
        }
    }
}

impl<T> State<T> {
    fn has_room(&self, cost: usize, limit: usize) -> bool {
        self.items.is_empty() || self.cost.saturating_add(cost) <= limit
    }

    fn put(&mut self, item: T, cost: usize) {
        self.items.push_back((item, cost));
        self.cost += cost;
    }

    fn wake_first(&mut self) {
        if let Some((_, waker)) = self.line.front_mut() {
            waker.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// An item on its way into a queue. Dropping it while it waits in line withdraws it.
#[derive(Debug)]
pub(super) struct Push<T> {
    queue: Arc<Queue<T>>,
    place: Option<Place<T>>,
}

#[derive(Debug)]
enum Place<T> {
    In,
    Refused,
    Line { ticket: u64, item: T, cost: usize },
}

impl<T: Unpin> Future for Push<T> {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let this = self.get_mut();
        let queue = Arc::clone(&this.queue);
        let mut state = queue.lock();
        match this.place.take() {
            Some(Place::In) => Poll::Ready(true),
            None | Some(Place::Refused) => Poll::Ready(false),
            Some(Place::Line { ticket, item, cost }) => {
                if state.closed {
                    state.line.retain(|(waiting, _)| *waiting != ticket);
                    return Poll::Ready(false);
                }
                let is_first = state.line.front().is_some_and(|(first, _)| *first == ticket);
                if is_first && state.has_room(cost, queue.limit) {
                    state.line.pop_front();
                    state.put(item, cost);
                    state.wake_first();
                    queue.filled.notify_one();
                    return Poll::Ready(true);
                }
                if let Some((_, waker)) = state.line.iter_mut().find(|(waiting, _)| *waiting == ticket) {
                    *waker = Some(context.waker().clone());
                }
                this.place = Some(Place::Line { ticket, item, cost });
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Push<T> {
    fn drop(&mut self) {
        if let Some(Place::Line { ticket, .. }) = &self.place {
            let mut state = self.queue.lock();
            state.line.retain(|(waiting, _)| waiting != ticket);
            state.wake_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn push(queue: &Arc<Queue<u32>>, item: u32) -> Push<u32> {
        queue.push(item, 1)
    }

    #[test]
    fn items_come_out_in_the_order_of_the_calls_whoever_is_polled_first() {
        let queue = Arc::new(Queue::new(1));
        let (_in, mut second, mut third) = (push(&queue, 1), push(&queue, 2), push(&queue, 3));
        assert_eq!(queue.take(10), Some(vec![1]));
        assert_eq!((&mut third).now_or_never(), None, "the second is before it");
        assert_eq!((&mut second).now_or_never(), Some(true));
        assert_eq!((&mut third).now_or_never(), None, "there is no room");
        assert_eq!(queue.take(10), Some(vec![2]));
        assert_eq!(third.now_or_never(), Some(true));
        assert_eq!(queue.take(10), Some(vec![3]));
    }

    #[test]
    fn one_that_leaves_the_line_lets_the_next_pass() {
        let queue = Arc::new(Queue::new(1));
        let (_in, second, mut third) = (push(&queue, 1), push(&queue, 2), push(&queue, 3));
        assert_eq!(queue.take(10), Some(vec![1]));
        drop(second);
        assert_eq!((&mut third).now_or_never(), Some(true));
    }

    #[test]
    fn a_batch_is_bounded_by_cost_and_never_empty() {
        let queue = Arc::new(Queue::new(100));
        for (item, cost) in [(1, 50), (2, 5), (3, 5), (4, 5)] {
            assert_eq!(queue.push(item, cost).now_or_never(), Some(true));
        }
        assert_eq!(queue.take(10), Some(vec![1]), "one that costs too much goes alone");
        assert_eq!(queue.take(10), Some(vec![2, 3]));
        assert_eq!(queue.take(10), Some(vec![4]));
    }

    #[test]
    fn one_that_takes_and_panics_leaves_nobody_waiting() {
        struct Asked(
            #[expect(dead_code, reason = "its drop is the answer")] futures::channel::oneshot::Sender<()>,
        );
        let queue = Arc::new(Queue::new(1));
        let (asked, answers): (Vec<_>, Vec<_>) = (0..3).map(|_| futures::channel::oneshot::channel()).unzip();
        let pushed: Vec<_> = asked.into_iter().map(|asked| queue.push(Asked(asked), 1)).collect();
        let taking = Arc::clone(&queue);
        let taker = std::thread::spawn(move || {
            let _taker = Taker(&taking);
            let _asked = taking.take(1);
            panic!("as the test wants");
        });
        assert!(taker.join().is_err());
        let mut pushed = pushed.into_iter().map(FutureExt::now_or_never);
        // The first was taken; of the others, those that had no room are refused.
        assert_eq!(pushed.next(), Some(Some(true)));
        assert!(pushed.all(|pushed| pushed == Some(false)));
        for answer in answers {
            assert!(matches!(answer.now_or_never(), Some(Err(_))), "it is answered by being dropped");
        }
    }

    #[test]
    fn a_closed_queue_is_emptied_and_refuses() {
        let queue = Arc::new(Queue::new(1));
        let (_in, waiting) = (push(&queue, 1), push(&queue, 2));
        queue.close();
        assert_eq!(waiting.now_or_never(), Some(false));
        assert_eq!(push(&queue, 3).now_or_never(), Some(false));
        assert_eq!(queue.take(10), Some(vec![1]));
        assert_eq!(queue.take(10), None);
    }
}
