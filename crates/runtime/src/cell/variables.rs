//! The variables of a persistent session, out of the VM of one cell and into that of the next.

use std::sync::Arc;

use carrel_engine::{Snapshot, Vm};

use super::actor::{Cell, End};
use super::opening::engine_fault;
use crate::shared::Core;

/// The memory from which on copying it is not for a thread that others wait for: a millisecond's worth.
const LARGE_BYTES: usize = 4 * 1024 * 1024;

impl Cell {
    /// Gives a VM the variables that the cell before left.
    pub(super) async fn restore(&mut self, mut vm: Vm, variables: Arc<Snapshot>) -> Result<Vm, End> {
        let restored = work(&self.core, variables.memory_bytes(), move || {
            let remembered = vm.remember(&variables);
            remembered.map(|()| vm)
        })
        .await;
        restored.map_err(|error| engine_fault(&error))
    }

    /// Saves the variables that the cell leaves to the next one, or says why there are none.
    pub(super) async fn save_variables(&mut self) {
        if self.turn.is_none() {
            return;
        }
        // There is no VM when the cell could not begin, or its end took the VM with it.
        if let Some(vm) = self.left.take() {
            let bytes = vm.memory_bytes().unwrap_or_default();
            match work(&self.core, bytes, move || vm.snapshot()).await {
                Ok(variables) => {
                    let kept = match self.core.log.journal() {
                        Some(journal) => journal.keep_snapshot(variables.to_bytes()).await.map(Some),
                        None => Ok(None),
                    };
                    match kept {
                        Ok(kept) => {
                            (self.variables_kept, self.variables) = (kept, Some(variables));
                            return;
                        }
                        // What the journal does not have is gone when the session sleeps, so nobody is to have it.
                        Err(trouble) => self.unsaved_variables(&trouble),
                    }
                }
                Err(error) => self.unsaved_variables(&error),
            }
        }
        self.warnings.add("the session's variables are as they were before this cell");
    }

    fn unsaved_variables(&mut self, why: &dyn std::fmt::Display) {
        self.warnings.add(&format!("the variables could not be saved: {why}"));
    }
}

/// Does what takes a time that grows with `bytes`, here or where it holds up nobody.
pub(super) async fn work<T: Send + 'static>(
    core: &Core,
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if bytes < LARGE_BYTES { work() } else { core.aside(work).await }
}
