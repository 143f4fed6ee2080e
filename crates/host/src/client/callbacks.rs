//! The callbacks of a session into its delegate, cell by cell.
//!
//! Those of a cell are begun one after the other, in the order in which the cell made them, apart from the connection and from
//! those of other cells: a delegate that blocks its thread holds up the later ones of that cell, and nothing else.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use carrel_contract::{CancellationToken, CellId};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::channel::Channel;
use super::teller::{PROGRESS_EVERY, Teller};
use crate::link::{LinkError, turn};
use crate::watch;

/// Callbacks of a session that a host may have under way.
const CALLBACKS: usize = 128 * 1024;
/// The bytes of their inputs and texts. One that is above it is refused, and the others go on.
const CALLBACK_BYTES: usize = 1 << 30;

#[derive(Default)]
pub(super) struct Callbacks {
    under_way: HashMap<u64, Tokens>,
    bytes: usize,
    cells: HashMap<CellId, Cell>,
    is_over: bool,
}

#[derive(Clone, Default)]
pub(super) struct Tokens {
    /// The answer is no longer wanted.
    pub(super) cancel: CancellationToken,
    /// It is no longer waited for.
    pub(super) dropped: CancellationToken,
    /// What it holds.
    bytes: usize,
    /// Who tells the host of a call.
    pub(super) teller: Option<Arc<Teller>>,
}

/// What comes next in a cell.
enum Step {
    /// Something that the callbacks after it wait for.
    Before(BoxFuture<'static, ()>),
    /// A callback, which is begun, and goes on by itself.
    Callback(BoxFuture<'static, ()>),
}

/// The callbacks of one cell.
#[derive(Default)]
struct Cell {
    queue: VecDeque<Step>,
    is_running: bool,
    under_way: usize,
    ended: Arc<Notify>,
}

impl Callbacks {
    /// Forgets a cell that has no callback any more.
    fn settle(&mut self, cell_id: &CellId) {
        if self.cells.get(cell_id).is_some_and(|cell| cell.under_way == 0 && !cell.is_running)
            && let Some(cell) = self.cells.remove(cell_id)
        {
            cell.ended.notify_waiters();
        }
    }
}

impl Channel {
    /// Waits until the delegate has heard of the cells that are gone, if it does not take too long.
    pub(super) async fn cells_closed(&self) {
        let heard = async {
            loop {
                let closed = self.closed.notified();
                if self.closing.load(Ordering::SeqCst) == 0 {
                    return;
                }
                closed.await;
            }
        };
        if self.closing.load(Ordering::SeqCst) > 0 {
            timeout(self.grace + PROGRESS_EVERY, heard).await.ok();
        }
    }

    /// Takes a callback that holds so many bytes; `None` when that is more than a session may have under way.
    pub(super) fn add(&self, call: u64, bytes: usize) -> Result<Option<Tokens>, LinkError> {
        let mut callbacks = self.callbacks();
        if callbacks.under_way.len() >= CALLBACKS || callbacks.under_way.contains_key(&call) {
            return Err(LinkError::Protocol("it has too many callbacks under way, or two of one number"));
        }
        if callbacks.bytes + bytes > CALLBACK_BYTES {
            return Ok(None);
        }
        callbacks.bytes += bytes;
        let tokens = Tokens { bytes, ..Tokens::default() };
        callbacks.under_way.insert(call, tokens.clone());
        Ok(Some(tokens))
    }

    /// Notes who tells the host of a call.
    pub(super) fn told_by(&self, call: u64, teller: &Arc<Teller>) {
        if let Some(tokens) = self.callbacks().under_way.get_mut(&call) {
            tokens.teller = Some(Arc::clone(teller));
        }
    }

    /// Begins a callback after those that its cell made before.
    pub(super) fn begin(self: &Arc<Self>, cell_id: &CellId, call: u64, callback: BoxFuture<'static, ()>) {
        let mut callbacks = self.callbacks();
        if callbacks.is_over {
            return;
        }
        let over = Over { channel: Arc::clone(self), cell_id: cell_id.clone(), call };
        let callback = async move {
            let _over = over;
            callback.await;
        };
        callbacks.cells.entry(cell_id.clone()).or_default().under_way += 1;
        self.queue(&mut callbacks, cell_id, Step::Callback(callback.boxed()));
    }

    /// Has the callbacks that a cell makes from now on wait for something.
    pub(super) fn begin_after(self: &Arc<Self>, cell_id: &CellId, before: BoxFuture<'static, ()>) {
        let mut callbacks = self.callbacks();
        if !callbacks.is_over {
            self.queue(&mut callbacks, cell_id, Step::Before(before));
        }
    }

    fn queue(self: &Arc<Self>, callbacks: &mut Callbacks, cell_id: &CellId, step: Step) {
        let cell = callbacks.cells.entry(cell_id.clone()).or_default();
        cell.queue.push_back(step);
        if !std::mem::replace(&mut cell.is_running, true) {
            self.connection().tasks.spawn(begin_all(Arc::clone(self), cell_id.clone()));
        }
    }

    /// Tells the delegate that a cell is gone, after its callbacks.
    pub(super) fn close_cell(self: &Arc<Self>, cell_id: CellId) {
        self.closing.fetch_add(1, Ordering::SeqCst);
        let channel = Arc::clone(self);
        self.connection().tasks.spawn(async move {
            let over = async {
                loop {
                    let Some(ended) =
                        channel.callbacks().cells.get(&cell_id).map(|cell| Arc::clone(&cell.ended))
                    else {
                        return;
                    };
                    let ended = ended.notified();
                    tokio::pin!(ended);
                    ended.as_mut().enable();
                    if !channel.callbacks().cells.contains_key(&cell_id) {
                        return;
                    }
                    ended.await;
                }
            };
            timeout(channel.grace, over).await.ok();
            let closed = AssertUnwindSafe(|| {
                let _polling = watch::polling();
                channel.delegate.get().cell_closed(&cell_id);
            });
            // Its panic harms nobody: the panic hook has reported it.
            drop(std::panic::catch_unwind(closed));
            channel.closing.fetch_sub(1, Ordering::SeqCst);
            channel.closed.notify_waiters();
        });
    }

    /// Returns what a callback is told by, while it is under way.
    pub(super) fn tokens(&self, call: u64) -> Option<Tokens> {
        self.callbacks().under_way.get(&call).cloned()
    }

    /// Lets go of a callback.
    pub(super) fn drop_callback(&self, call: u64) {
        let tokens = self.tokens(call);
        if let Some(tokens) = tokens {
            tokens.cancel.cancel();
            tokens.dropped.cancel();
        }
    }

    /// Gives up all callbacks: nobody waits for their answers any more.
    pub(super) fn end(&self) {
        let (under_way, cells) = {
            let mut callbacks = self.callbacks();
            callbacks.is_over = true;
            let queues: Vec<_> =
                callbacks.cells.values_mut().map(|cell| std::mem::take(&mut cell.queue)).collect();
            (std::mem::take(&mut callbacks.under_way), queues)
        };
        for tokens in under_way.values() {
            tokens.cancel.cancel();
            tokens.dropped.cancel();
        }
        drop(cells);
    }

    fn callbacks(&self) -> MutexGuard<'_, Callbacks> {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins a cell's callbacks, until none is left.
async fn begin_all(channel: Arc<Channel>, cell_id: CellId) {
    loop {
        let next = {
            let mut callbacks = channel.callbacks();
            let Some(cell) = callbacks.cells.get_mut(&cell_id) else { return };
            let next = cell.queue.pop_front();
            if next.is_none() {
                cell.is_running = false;
                callbacks.settle(&cell_id);
            }
            next
        };
        let mut callback = match next {
            None => return,
            Some(Step::Before(before)) => {
                before.await;
                continue;
            }
            Some(Step::Callback(callback)) => callback,
        };
        // The task that takes it over polls it again, and then with a waker.
        let polled = callback.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if polled == Poll::Pending {
            channel.connection().tasks.spawn(callback);
        } else {
            drop(callback);
        }
        // What was woken just now may be next on this very thread, where no other takes it from: it has its turn before
        // a callback that could block the thread.
        turn().await;
    }
}

/// A callback, until it is over.
struct Over {
    channel: Arc<Channel>,
    cell_id: CellId,
    call: u64,
}

impl Drop for Over {
    fn drop(&mut self) {
        let mut callbacks = self.channel.callbacks();
        if let Some(tokens) = callbacks.under_way.remove(&self.call) {
            callbacks.bytes -= tokens.bytes;
            tokens.dropped.cancel();
        }
        if let Some(cell) = callbacks.cells.get_mut(&self.cell_id) {
            cell.under_way -= 1;
        }
        callbacks.settle(&self.cell_id);
    }
}
