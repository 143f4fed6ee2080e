//! The VM of a cell that waits, saved so that coming back costs little.
//!
//! The journal alone would do: a snapshot only bounds what has to be computed again. So it is taken when that has become
//! more than a snapshot costs, and never for a cell that computes little.

use std::time::Duration;

use carrel_engine::{SnapshotError, Vm};
use carrel_journal::{BlobHash, Record};

use super::actor::Cell;
use super::variables::work;

/// A VM is saved when computing it again would take longer than this.
const REPLAY_TIME: Duration = Duration::from_millis(50);
/// It is saved, too, when so much would have to be given to it again: some times what a small snapshot has.
const REPLAY_BYTES: usize = 1024 * 1024;
/// The same in events: about as long as `REPLAY_TIME`.
const REPLAY_INPUTS: u64 = 4096;
/// The same for a VM whose session goes to sleep: computing less than this again takes about as long as a restore.
const WAKING_TIME: Duration = Duration::from_millis(1);
const WAKING_BYTES: usize = 64 * 1024;
const WAKING_INPUTS: u64 = 128;
/// A memory is hashed when its VM has been given so many events since the last time: 1.4 MB take about a millisecond.
const CHECKPOINT_INPUTS: u64 = 256;

/// What would have to be computed again.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    pub(super) cpu_time: Duration,
    /// What the VM was given since it was saved.
    pub(super) bytes: usize,
    saved_at: u64,
    /// What the VM had been given when its memory was hashed last.
    hashed_at: u64,
}

impl Unsaved {
    /// It was saved when the VM had been given so many events.
    pub(super) fn saved_before(&mut self, inputs: u64) {
        (self.saved_at, self.hashed_at) = (inputs, inputs);
    }
}

impl Cell {
    /// Saves a VM that waits, when that is worth it. One that cannot be saved is computed again, should it come to that.
    pub(super) async fn save(&mut self, vm: Vm) -> Vm {
        let image = BlobHash(*self.core.shared.engine.image().as_bytes());
        let (cell, inputs) = (self.number.0, self.inputs_count);
        let Unsaved { cpu_time, bytes, saved_at, .. } = self.unsaved;
        if cpu_time < REPLAY_TIME && bytes < REPLAY_BYTES && inputs - saved_at < REPLAY_INPUTS {
            if inputs - self.unsaved.hashed_at >= CHECKPOINT_INPUTS
                && let Ok(hash) = vm.memory_hash()
            {
                self.unsaved.hashed_at = inputs;
                self.core.note(|| Record::Checkpoint { cell, memory: BlobHash(hash), inputs, image });
            }
            return vm;
        }
        self.save_now(vm).await
    }

    /// Saves a VM whose session goes to sleep, when waking takes less then.
    pub(super) async fn save_to_sleep(&mut self, vm: Vm) {
        let Unsaved { cpu_time, bytes, saved_at, .. } = self.unsaved;
        let inputs = self.inputs_count - saved_at;
        if cpu_time >= WAKING_TIME || bytes >= WAKING_BYTES || inputs >= WAKING_INPUTS {
            self.save_now(vm).await;
        }
    }

    async fn save_now(&mut self, vm: Vm) -> Vm {
        let image = BlobHash(*self.core.shared.engine.image().as_bytes());
        let (cell, inputs, effects) = (self.number.0, self.inputs_count, self.effects_count);
        self.unsaved = Unsaved { saved_at: inputs, hashed_at: inputs, ..Unsaved::default() };
        let bytes = vm.memory_bytes().unwrap_or_default();
        let (vm, saved) = work(&self.core, bytes, move || {
            let saved = saved(&vm);
            (vm, saved)
        })
        .await;
        if let (Ok((bytes, memory)), Some(journal)) = (saved, self.core.log.journal())
            && let Ok(blob) = journal.keep_snapshot(bytes).await
        {
            let signature = self.core.shared.trust.sign(blob);
            self.core.note(|| Record::SnapshotTaken {
                cell,
                blob,
                memory,
                inputs,
                effects,
                image,
                signature,
            });
        }
        vm
    }
}

/// Returns a VM as bytes, with the hash of its memory.
fn saved(vm: &Vm) -> Result<(Vec<u8>, BlobHash), SnapshotError> {
    Ok((vm.snapshot()?.to_bytes(), BlobHash(vm.memory_hash()?)))
}
