//! Makes VMs, and moves the epoch that ends their slices.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use wasmtime::{Instance, Store};

use crate::border::Guest;
use crate::event::{Start, StoredValues};
use crate::pool::Places;
use crate::vm::{Vm, VmLimits};
use crate::{EngineError, ImageId, RestoreError, Snapshot};

/// How an engine is made.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// VMs that can live at once. Each reserves 4 GiB of address space and no memory: 1,000.
    pub max_vms: u32,
    /// VMs that there are places for from the start: all. Places for the others are made when these are taken, which takes
    /// some milliseconds then, and for which the process must still be allowed to map machine code.
    pub first_vms: Option<u32>,
    /// The most memory that any VM can be given, in bytes: 512 MiB.
    pub max_memory_bytes: usize,
    /// What each turn counts as, instead of the CPU time that it took: for simulations, in which two runs have to come to
    /// the same. Measured unless said.
    pub turn_time: Option<Duration>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { max_vms: 1000, first_vms: None, max_memory_bytes: 512 * 1024 * 1024, turn_time: None }
    }
}

/// Makes VMs. Cheap to clone; all clones share their places. Owns no thread.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    places: Places,
    options: EngineOptions,
    /// The memory every VM starts from, copied out when the first snapshot needs it.
    base: OnceLock<Vec<u8>>,
}

impl Engine {
    /// Loads the image and reserves places for VMs.
    ///
    /// # Errors
    /// When the processor lacks what the image needs, or the address space cannot be had.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let places = Places::new(&options)?;
        Ok(Self(Arc::new(Inner { places, options, base: OnceLock::new() })))
    }

    /// Returns the id of the image that its VMs start from.
    #[must_use]
    pub fn image(&self) -> ImageId {
        ImageId::of_this_build()
    }

    /// Makes a VM for a cell. Nothing runs before [`Vm::run`].
    ///
    /// # Errors
    /// When the pool is used up, or the machine's memory.
    pub fn start(&self, start: Start, limits: VmLimits) -> Result<Vm, EngineError> {
        Ok(Vm::new(self, limits)?.starting(start))
    }

    /// Makes a VM without a cell, for [`Vm::begin`].
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn vacant(&self, limits: VmLimits) -> Result<Vm, EngineError> {
        Vm::new(self, limits)
    }

    /// Makes a VM that goes on where the snapshotted one stood, in its cell or between two, with the CPU time that one
    /// had used. `stored` must be what that one was started with.
    ///
    /// # Errors
    /// When the snapshot is of another image or too large for `limits`, or no VM can be made.
    pub fn restore(
        &self,
        snapshot: &Snapshot,
        stored: Arc<dyn StoredValues>,
        limits: VmLimits,
    ) -> Result<Vm, RestoreError> {
        snapshot.check(self.image(), limits.memory_bytes)?;
        let mut vm = Vm::new(self, limits)?;
        vm.become_copy(snapshot)?;
        vm.use_stored(stored);
        Ok(vm)
    }

    /// Moves the epoch: every running VM whose slice is used up is preempted at its next loop or call. Meant
    /// to be called once a millisecond while any VM runs, from a thread of the caller's. Safe in a signal handler.
    pub fn tick(&self) {
        self.0.places.tick();
    }

    /// Makes what a VM runs in.
    pub(crate) fn instantiate(
        &self,
        guest: Guest,
        prepare: fn(&mut Store<Guest>),
    ) -> Result<(Store<Guest>, Instance), EngineError> {
        self.0.places.take(guest, prepare)
    }

    pub(crate) fn options(&self) -> EngineOptions {
        self.0.options
    }

    /// Returns the memory that every VM starts from.
    pub(crate) fn base(
        &self,
        pristine: impl FnOnce() -> Result<Vec<u8>, EngineError>,
    ) -> Result<&[u8], EngineError> {
        if let Some(base) = self.0.base.get() {
            return Ok(base);
        }
        // Made twice when two threads come first together: the same bytes, of which one copy is kept.
        let made = pristine()?;
        Ok(self.0.base.get_or_init(|| made))
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("image", &self.image()).field("options", &self.0.options).finish()
    }
}
