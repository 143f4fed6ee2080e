//! The one place where tasks are spawned: each has a kind, an owner that joins it, and is counted by its session.

use std::future::poll_fn;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// What a task is for, with its answer to cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A cell: ends its guest and its callbacks, and leaves an outcome. Owned by its session.
    Cell,
    /// A call of the delegate: is told by its token, and dropped when it does not end in time. Owned by its cell.
    Callback,
    /// What is written down, until nothing is left of that. Owned by its session, which waits for what it needs of it.
    Journal,
    /// The lease of a session: ends with the session, by itself.
    Lease,
    /// What wakes sessions that sleep. Ends by itself, with the last of them.
    Waking,
}

/// Wakes a thread of a runtime, by a task that does nothing: the one kind without an owner.
pub(crate) fn wake(runtime: &Handle) -> AbortHandle {
    runtime.spawn(async {}).abort_handle()
}

/// Lets what else is ready on this thread go first. `tokio::task::yield_now` does that too, and looks for input before,
/// which is a system call each time.
pub(crate) async fn turn() {
    let mut had_theirs = false;
    poll_fn(|context| {
        if std::mem::replace(&mut had_theirs, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The tasks of one session. A panic in one ends only it.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    cells: TaskTracker,
    callbacks: TaskTracker,
    journal: TaskTracker,
    leases: TaskTracker,
    wakings: TaskTracker,
}

/// Returns what a task came to; its panic goes on here.
async fn came_to<T>(joined: Result<T, JoinError>) -> T {
    match joined {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that ends cancels it, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

impl Tasks {
    /// Spawns a task that its session alone owns, onto the current tokio runtime.
    pub(crate) fn spawn(&self, kind: Kind, task: impl Future<Output = ()> + Send + 'static) {
        self.of(kind).spawn(task);
    }

    /// Spawns a task that its session alone owns, from outside of any runtime.
    pub(crate) fn spawn_on(
        &self,
        kind: Kind,
        runtime: &Handle,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.of(kind).spawn_on(task, runtime);
    }

    /// Spawns a task that ends with the set that owns it.
    pub(crate) fn spawn_in<T: Send + 'static>(
        &self,
        set: &mut JoinSet<T>,
        kind: Kind,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        set.spawn(self.of(kind).track_future(task));
    }

    /// Spawns a task that goes on whether or not somebody waits for it, and returns what it comes to.
    pub(crate) async fn goes_on<T: Send + 'static>(
        &self,
        kind: Kind,
        task: impl Future<Output = T> + Send + 'static,
    ) -> T {
        came_to(self.of(kind).spawn(task).await).await
    }

    /// Spawns a task that ends with its handle.
    pub(crate) fn spawn_held<T: Send + 'static>(
        &self,
        kind: Kind,
        task: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        AbortOnDropHandle::new(self.of(kind).spawn(task))
    }

    /// Spawns a task that ends with its handle, from outside of any runtime.
    pub(crate) fn spawn_held_on(
        &self,
        kind: Kind,
        runtime: &Handle,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(self.of(kind).spawn_on(task, runtime))
    }

    /// Does what takes long on a thread of the runtime's for such work, as a part of the cell that awaits it.
    pub(crate) async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        came_to(self.of(Kind::Cell).spawn_blocking(work).await).await
    }

    /// Returns how many tasks of a kind there are.
    #[cfg(test)]
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.of(kind).len()
    }

    /// Waits until all that were spawned have ended, while more may come.
    #[cfg(test)]
    pub(crate) async fn ended(&self) {
        for tasks in [&self.cells, &self.callbacks, &self.journal] {
            tasks.close();
            tasks.wait().await;
            tasks.reopen();
        }
    }

    /// Waits until no task is left. Tasks that are spawned meanwhile are waited for, too.
    pub(crate) async fn join(&self) {
        for tasks in [&self.cells, &self.callbacks, &self.journal] {
            tasks.close();
            tasks.wait().await;
        }
    }

    fn of(&self, kind: Kind) -> &TaskTracker {
        match kind {
            Kind::Cell => &self.cells,
            Kind::Callback => &self.callbacks,
            Kind::Journal => &self.journal,
            Kind::Lease => &self.leases,
            Kind::Waking => &self.wakings,
        }
    }
}
