//! The lock and the wake-up that `admission` decides with, under names of their own: `tests/admission_model.rs` compiles
//! the same file with those of a model checker in their place.

pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use tokio::sync::Notify;
