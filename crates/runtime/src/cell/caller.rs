//! Where a cell's callbacks run: never in the cell's own task, so that the cell can be ended whatever its delegate does.
//!
//! A second task of the cell's, the caller, starts the callbacks in the order in which they were made. One that is done
//! at its first poll costs no task; any other goes on in a task of its own. So a delegate that blocks its thread holds
//! up, at worst, the calls that this cell makes after it.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::journal::Mark;
use crate::seat::outside::Outside;
use crate::seat::rest::Busy;
use crate::tasks::{Kind, turn};

/// How long what was given up may take to be dropped. It takes no time, unless its thread is stuck.
const DROP_TIME: Duration = Duration::from_millis(100);

/// The callbacks under way of one cell, each of which comes to a `T`. Dropping it drops them.
pub(super) struct Caller<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    /// There once something was called.
    task: Option<AbortOnDropHandle<()>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Wakes the caller.
    made: Notify,
    /// Wakes the cell.
    done: Notify,
    /// Wakes the cell once everything that was made has begun.
    begun: Notify,
}

/// Bounded by what a cell's callbacks may hold, which the cell sees to.
struct State<T> {
    /// Each with what has to be durable before it begins. Until it has begun, its cell is busy.
    made: VecDeque<Made<T>>,
    /// How many of these, and of the one that the caller has in hand, have not begun.
    unbegun: usize,
    done: VecDeque<T>,
    under_way: JoinSet<()>,
    ended: bool,
}

struct Made<T> {
    busy: Busy,
    mark: Mark,
    callback: BoxFuture<'static, T>,
}

impl<T: Send + 'static> Default for Caller<T> {
    fn default() -> Self {
        let (made, done, under_way) = (VecDeque::new(), VecDeque::new(), JoinSet::new());
        let state = Mutex::new(State { made, unbegun: 0, done, under_way, ended: false });
        let shared = Shared { state, made: Notify::new(), done: Notify::new(), begun: Notify::new() };
        Self { shared: Arc::new(shared), task: None }
    }
}

impl<T: Send + 'static> Caller<T> {
    /// Has a callback made, after those before it, once what was written down up to a mark is durable. It must not panic.
    pub(super) fn call(&mut self, busy: Busy, mark: Mark, callback: BoxFuture<'static, T>) {
        let outside = Arc::clone(&busy.outside);
        {
            let mut state = self.shared.lock();
            state.made.push_back(Made { busy, mark, callback });
            state.unbegun += 1;
        }
        if self.task.is_none() {
            let run = run(Arc::clone(&outside), Arc::clone(&self.shared));
            self.task = Some(outside.tasks.spawn_held(Kind::Callback, run));
        } else {
            self.shared.made.notify_one();
        }
    }

    /// Waits for the next callback that is done; for ever when none is under way. Cancel safe.
    pub(super) async fn next(&mut self) -> T {
        loop {
            if let Some(done) = self.shared.lock().done.pop_front() {
                return done;
            }
            self.shared.done.notified().await;
        }
    }

    /// Waits until every callback that was made has begun, or none begins any more. Cancel safe.
    pub(super) async fn begun(&mut self) {
        loop {
            let begun = self.shared.begun.notified();
            {
                let state = self.shared.lock();
                if state.unbegun == 0 || state.ended {
                    return;
                }
            }
            begun.await;
        }
    }

    /// Puts back what `next` returned: it is the next one again.
    pub(super) fn put_back(&self, done: T) {
        self.shared.lock().done.push_front(done);
        self.shared.done.notify_one();
    }

    /// Tells whether a callback is done.
    pub(super) fn has_done(&self) -> bool {
        !self.shared.lock().done.is_empty()
    }

    /// Gives up what is left, and waits until it is gone, unless a thread is stuck in it.
    pub(super) async fn end(&mut self) {
        let Some(task) = self.task.take() else { return };
        let (made, mut under_way) = self.shared.end();
        drop(made);
        under_way.abort_all();
        self.shared.made.notify_one();
        let gone = async {
            // Their panics, as they are dropped, harm nobody: the panic hook has reported them.
            drop(task.await);
            while under_way.join_next().await.is_some() {}
        };
        timeout(DROP_TIME, gone).await.ok();
    }
}

impl<T: Send + 'static> Drop for Caller<T> {
    fn drop(&mut self) {
        drop(self.shared.end());
    }
}

impl<T: Send + 'static> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is left, to be dropped without the lock; from now on nothing is begun.
    fn end(&self) -> (VecDeque<Made<T>>, JoinSet<()>) {
        let mut state = self.lock();
        state.ended = true;
        (std::mem::take(&mut state.made), std::mem::take(&mut state.under_way))
    }

    /// Says that so many callbacks have begun, or never will.
    fn begin(&self, count: usize) {
        let mut state = self.lock();
        state.unbegun = state.unbegun.saturating_sub(count);
        if state.unbegun == 0 {
            self.begun.notify_one();
        }
    }

    fn finish(&self, done: T) {
        self.lock().done.push_back(done);
        self.done.notify_one();
    }
}

/// Starts the callbacks, until the cell has ended.
async fn run<T: Send + 'static>(outside: Arc<Outside>, shared: Arc<Shared<T>>) {
    loop {
        let next = {
            let mut state = shared.lock();
            if state.ended {
                return;
            }
            while state.under_way.try_join_next().is_some() {}
            state.made.pop_front()
        };
        let Some(Made { busy, mark, callback }) = next else {
            shared.made.notified().await;
            continue;
        };
        if busy.durable(mark).await.is_err() || shared.lock().ended {
            // Nothing may leave the session any more: its cells are being ended.
            shared.begin(usize::MAX);
            return;
        }
        let mut callback = Watched { callback, outside: Arc::clone(&outside) };
        // The task that takes it over polls it again, and then with a waker.
        if let Poll::Ready(done) = Pin::new(&mut callback).poll(&mut Context::from_waker(Waker::noop())) {
            shared.finish(done);
        } else {
            go_on(&shared, callback);
        }
        shared.begin(1);
        drop(busy);
        if !shared.lock().made.is_empty() {
            // What was woken just now, the cell or the callback's own task, may be next on this very thread, where no
            // other takes it from: it has its turn before a callback that could block the thread.
            turn().await;
        }
    }
}

/// Moves a callback to a task of its own; drops it when the cell has ended meanwhile.
fn go_on<T: Send + 'static>(shared: &Arc<Shared<T>>, callback: Watched<T>) {
    let mut state = shared.lock();
    if state.ended {
        drop(state);
        drop(std::panic::catch_unwind(AssertUnwindSafe(|| drop(callback))));
        return;
    }
    let (outside, done) = (Arc::clone(&callback.outside), Arc::clone(shared));
    let heard = Arc::clone(&outside);
    outside.tasks.spawn_in(&mut state.under_way, Kind::Callback, async move {
        done.finish(callback.await);
        heard.ring();
    });
}

/// A callback, each poll of which is made known: it may get stuck.
struct Watched<T> {
    callback: BoxFuture<'static, T>,
    outside: Arc<Outside>,
}

impl<T> Future for Watched<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self { callback, outside } = self.get_mut();
        let _polling = outside.shared.ticker.polling();
        callback.as_mut().poll(context)
    }
}
