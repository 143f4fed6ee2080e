//! A value that many wait for, woken in the order in which they came.
//!
//! tokio's `watch` wakes them in a random order, which nothing that is to happen twice in the same way can stand on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The value, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Announced<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T> Announced<T> {
    /// Returns it as it is now. Not to be held across an await.
    pub(super) fn now(&self) -> MutexGuard<'_, T> {
        // Nothing under the lock leaves it half done and panics.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it, and wakes all who wait.
    pub(super) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.now());
        self.changed.notify_waiters();
    }

    /// Waits until there is something to be said of it. Cancel safe.
    pub(super) async fn until<R>(&self, mut say: impl FnMut(&T) -> Option<R>) -> R {
        loop {
            // Made before the value is read, so that a change in between is not missed.
            let changed = self.changed.notified();
            let said = say(&self.now());
            if let Some(said) = said {
                return said;
            }
            changed.await;
        }
    }
}
