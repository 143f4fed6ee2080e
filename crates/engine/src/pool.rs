//! The places that VMs live in.
//!
//! An engine can have two pools of them: one that is made with it, and one that is made when the first is full. Each place's
//! stack has a guard page, for which the kernel is called, so that 1,000 places take a third of the time in which a program
//! starts, and most programs never need more than a few. But the second pool has machine code of its own to map, which a
//! process that has given up its rights must not do: so it is for its owner to ask for.

use std::sync::{Mutex, OnceLock, PoisonError};

use wasmtime::{
    Enabled, Instance, InstanceAllocationStrategy, InstancePre, Linker, PoolConcurrencyLimitError,
    PoolingAllocationConfig, Store,
};

use crate::border::{self, Guest};
use crate::engine::EngineOptions;
use crate::{EngineError, image, settings};

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

/// The places of an engine.
pub(crate) struct Places {
    first: Pool,
    /// Made when the first is full.
    rest: OnceLock<Pool>,
    making_rest: Mutex<()>,
    /// How many those are.
    rest_places: u32,
    max_memory_bytes: usize,
}

struct Pool {
    wasmtime: wasmtime::Engine,
    template: InstancePre<Guest>,
}

impl Places {
    pub(crate) fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        let EngineOptions { max_vms, first_vms, max_memory_bytes, .. } = *options;
        let first_places = first_vms.map_or(max_vms, |first| first.min(max_vms));
        let first = Pool::new(first_places, max_memory_bytes)?;
        let (rest, rest_places) = (OnceLock::new(), max_vms - first_places);
        Ok(Self { first, rest, making_rest: Mutex::default(), rest_places, max_memory_bytes })
    }

    /// Makes an instance in a place that is free, and the store that it lives in, which `prepare` gets first.
    pub(crate) fn take(
        &self,
        guest: Guest,
        prepare: fn(&mut Store<Guest>),
    ) -> Result<(Store<Guest>, Instance), EngineError> {
        let failed = || EngineError::new("make a VM");
        let mut store = self.first.store(guest, prepare);
        match self.first.template.instantiate(&mut store) {
            Ok(instance) => Ok((store, instance)),
            Err(error) if self.rest_places > 0 && error.is::<PoolConcurrencyLimitError>() => {
                let rest = self.rest()?;
                let mut store = rest.store(store.into_data(), prepare);
                let instance = rest.template.instantiate(&mut store).map_err(failed())?;
                Ok((store, instance))
            }
            Err(error) => Err(failed()(error)),
        }
    }

    fn rest(&self) -> Result<&Pool, EngineError> {
        let _making = self.making_rest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rest) = self.rest.get() {
            return Ok(rest);
        }
        let rest = Pool::new(self.rest_places, self.max_memory_bytes)?;
        Ok(self.rest.get_or_init(|| rest))
    }

    /// Moves the epoch.
    pub(crate) fn tick(&self) {
        self.first.wasmtime.increment_epoch();
        if let Some(rest) = self.rest.get() {
            rest.wasmtime.increment_epoch();
        }
    }
}

impl Pool {
    fn new(places: u32, max_memory_bytes: usize) -> Result<Self, EngineError> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(places)
            .total_memories(places)
            .total_tables(places)
            .total_stacks(places)
            .max_memories_per_module(1)
            .max_tables_per_module(1)
            .max_memory_size(max_memory_bytes);
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
        Ok(Self { wasmtime, template })
    }

    fn store(&self, guest: Guest, prepare: fn(&mut Store<Guest>)) -> Store<Guest> {
        let mut store = Store::new(&self.wasmtime, guest);
        prepare(&mut store);
        store
    }
}
