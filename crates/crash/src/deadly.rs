//! A store that kills its process at a step: before it passes on what it was asked for, or after it was done.

use std::sync::atomic::{AtomicU64, Ordering};

use carrel_contract::CodeModeFuture;
use carrel_journal::Sqlite;
use carrel_journal::error::StoreError;
use carrel_journal::testing::PassesOn;

/// Counts steps, two for each write, and dies at one.
pub(crate) struct Deadly {
    store: Sqlite,
    steps: AtomicU64,
    deadly_step: u64,
}

impl Deadly {
    /// A `deadly_step` of 0 never comes.
    pub(crate) fn new(store: Sqlite, deadly_step: u64) -> Self {
        Self { store, steps: AtomicU64::new(0), deadly_step }
    }

    /// Returns how many steps there were.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    fn step(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) + 1 == self.deadly_step {
            let this = rustix::process::getpid();
            rustix::process::kill_process(this, rustix::process::Signal::KILL).ok();
            loop {
                std::thread::park();
            }
        }
    }
}

impl PassesOn for Deadly {
    type Behind = Sqlite;

    fn behind(&self) -> &Sqlite {
        &self.store
    }

    /// Does it between two steps.
    fn write<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Sqlite) -> CodeModeFuture<'a, T, E> + Send + 'a,
    ) -> CodeModeFuture<'a, T, E> {
        self.step();
        let write = work(&self.store);
        Box::pin(async move {
            let done = write.await;
            self.step();
            done
        })
    }
}
