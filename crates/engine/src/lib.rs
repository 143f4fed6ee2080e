//! The engine: QuickJS-NG in WebAssembly as a pure state machine.
//!
//! A [`Vm`] takes an [`Event`] and returns the [`Effect`]s that follow from it. It has no clock, no random
//! source, no thread and no way to the outside: time, seeds and answers come in with events, so the same
//! events leave the same memory, byte for byte. Between events a VM is a value: [`Vm::snapshot`] takes it and
//! [`Engine::restore`] makes another of it, [`Vm::fork`] does both.
//!
//! Read in this order: `event` is the language spoken with a VM, `image` the program inside it, `engine` makes
//! VMs in the places of its `pool`, `vm` drives one, `cpu` measures what it uses, `border` is where the guest's calls arrive, `compute` what it
//! answers from its questions alone, `snapshot` keeps one. The guest itself, C and JavaScript, is in `guest/`, and
//! `build/` makes the image of it.

mod border;
mod compute;
mod cpu;
mod engine;
mod error;
mod event;
mod image;
mod pool;
mod settings;
mod snapshot;
mod time_zone;
mod vm;

pub use engine::{Engine, EngineOptions};
pub use error::{BeginError, EngineError, ForkError, InvalidSnapshot, RestoreError, SnapshotError};
pub use event::{
    CallHandle, Dialect, Effect, Ending, Event, GuestError, ImageDetail, Level, MediaKind, NothingStored,
    Progress, Start, StoreQuota, StoredSize, StoredValues, Tools, Turn,
};
pub use image::ImageId;
pub use snapshot::Snapshot;
pub use time_zone::{TimeZone, UnknownTimeZone};
pub use vm::{Stopper, Vm, VmLimits};
