//! Makes VMs: the loaded image, the pool their memories come from, and the epoch that ends their slices.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use wasmtime::{Enabled, InstanceAllocationStrategy, InstancePre, Linker, PoolingAllocationConfig};

use crate::border::{self, Guest};
use crate::event::{Start, StoredValues};
use crate::vm::{Vm, VmLimits};
use crate::{EngineError, ImageId, RestoreError, Snapshot, image, settings};

/// Stack for the guest's compiled code. With 768 KiB of shadow stack, every recursion through JavaScript that
/// `tests/recursion.rs` tries ends as a `RangeError` within 3 MiB, and within 2 MiB some trap; the rest is reserve, and
/// costs address space only.
const WASM_STACK_BYTES: usize = 7 * 1024 * 1024;
/// The same and room for the host functions that the guest calls.
const FIBER_STACK_BYTES: usize = WASM_STACK_BYTES + 1024 * 1024;

/// What a place in the pool keeps of its memory between VMs, where the kernel (Linux 6.7 and newer) tells which
/// pages a VM has changed. Those are then copied back instead of unmapped, and the next VM does not fault them
/// in again: measured 0.020 ms instead of 0.124 ms for `text("hi")`. More than this gained nothing.
const KEPT_RESIDENT_BYTES: usize = 512 * 1024;

/// How an engine is made.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// VMs that can live at once. Each reserves 4 GiB of address space and no memory: 1,000.
    pub max_vms: u32,
    /// The most memory that any VM can be given, in bytes: 512 MiB.
    pub max_memory_bytes: usize,
    /// What each turn counts as, instead of the CPU time that it took: for simulations, in which two runs have to come to
    /// the same. Measured unless said.
    pub turn_time: Option<Duration>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { max_vms: 1000, max_memory_bytes: 512 * 1024 * 1024, turn_time: None }
    }
}

/// Makes VMs. Cheap to clone; all clones share one pool. Owns no thread.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    wasmtime: wasmtime::Engine,
    template: InstancePre<Guest>,
    options: EngineOptions,
    /// The memory every VM starts from, copied out when the first snapshot needs it.
    base: OnceLock<Vec<u8>>,
}

impl Engine {
    /// Loads the image and reserves the pool.
    ///
    /// # Errors
    /// When the processor lacks what the image needs, or the address space for the pool cannot be had.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(options.max_vms)
            .total_memories(options.max_vms)
            .total_tables(options.max_vms)
            .total_stacks(options.max_vms)
            .max_memories_per_module(1)
            .max_tables_per_module(1)
            .max_memory_size(options.max_memory_bytes);
        if PoolingAllocationConfig::is_pagemap_scan_available() {
            pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(KEPT_RESIDENT_BYTES);
        }
        let mut config = settings::shared();
        config
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
            .async_stack_size(FIBER_STACK_BYTES)
            .max_wasm_stack(WASM_STACK_BYTES);
        let wasmtime = wasmtime::Engine::new(&config).map_err(EngineError::new("make the VM pool"))?;
        let module = image::load(&wasmtime)?;
        let mut linker = Linker::new(&wasmtime);
        border::define(&mut linker).map_err(EngineError::new("link the guest image"))?;
        let template = linker.instantiate_pre(&module).map_err(EngineError::new("link the guest image"))?;
        Ok(Self(Arc::new(Inner { wasmtime, template, options, base: OnceLock::new() })))
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
        self.0.wasmtime.increment_epoch();
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0.wasmtime
    }

    pub(crate) fn template(&self) -> &InstancePre<Guest> {
        &self.0.template
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
