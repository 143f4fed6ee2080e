//! One piece of work for a store's thread, and the future that waits for its answer.

use std::sync::Arc;

use carrel_contract::CodeModeFuture;
use futures::channel::oneshot;

use super::queue::Queue;
use crate::error::StoreError;

/// Work on a `B`, told its end when that is settled, which may be later than its run.
pub(super) trait Job<B>: Send {
    /// Does the work and keeps the answer. An error fails all work of the same transaction.
    fn run(&mut self, base: &mut B) -> rusqlite::Result<()>;

    /// Gives out the answer that was kept, or why there is none.
    fn tell(self: Box<Self>, settled: Result<(), StoreError>);
}

struct Typed<W, T, E> {
    work: Option<W>,
    answer: Option<Result<T, E>>,
    asker: oneshot::Sender<Result<T, E>>,
}

impl<B, W, T, E> Job<B> for Typed<W, T, E>
where
    W: FnOnce(&mut B) -> rusqlite::Result<Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, base: &mut B) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.answer = Some(work(base)?);
        }
        Ok(())
    }

    fn tell(self: Box<Self>, settled: Result<(), StoreError>) {
        let answer = match (settled, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(StoreError::Closed.into()),
            (Err(error), _) => Err(error.into()),
        };
        // Who no longer waits does not want to know.
        drop(self.asker.send(answer));
    }
}

/// Queues work at once, and returns the future of its answer.
pub(super) fn ask<B, T, E>(
    queue: &Arc<Queue<Box<dyn Job<B>>>>,
    cost: usize,
    work: impl FnOnce(&mut B) -> rusqlite::Result<Result<T, E>> + Send + 'static,
) -> CodeModeFuture<'static, T, E>
where
    B: 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (asker, answer) = oneshot::channel();
    let job = Typed { work: Some(work), answer: None, asker };
    let pushed = queue.push(Box::new(job), cost);
    Box::pin(async move {
        if !pushed.await {
            return Err(StoreError::Closed.into());
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    })
}
