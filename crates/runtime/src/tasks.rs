//! The one place where tasks are spawned: each has an owner that counts and joins it.

use tokio_util::task::TaskTracker;

/// The tasks of one session. The answer of each to cancellation is its own token; a panic in one ends only it.
#[derive(Debug, Default)]
pub(crate) struct Tasks(TaskTracker);

impl Tasks {
    /// Spawns a task onto the current tokio runtime.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    /// Waits until no task is left. Tasks that are spawned meanwhile are waited for, too.
    pub(crate) async fn join(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
