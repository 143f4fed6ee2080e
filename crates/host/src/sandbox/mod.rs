//! The second wall: what a host gives up itself, before any guest code runs. The first is WebAssembly, which holds the guest.
//!
//! After its start a host needs its streams, memory, threads and, where it has one, the folder of its journal. So it gives up the
//! rest in three steps, each of which is the way to the next:
//!
//! 1. [`strip`] ends the process's past: environment, descriptors, capabilities and limits.
//! 2. [`Stripped::confine`] takes files, network and other processes away, by Landlock. What the host listens on is bound before, its
//!    journal is opened after.
//! 3. [`Confined::seal`], once everything is started, takes every system call away but those by which sessions run. A call that
//!    is not among them kills the process.
//!
//! The kernel may know less than is asked of it, and other systems know nothing of this; [`Level`] says what is missing then.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod calls;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod files;
mod level;

#[cfg(target_os = "linux")]
pub use bare::{Stripped, strip};
#[cfg(target_os = "linux")]
pub use calls::Confined;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Confined, Stripped, strip};
pub use level::{Level, Missing};

#[cfg(target_os = "linux")]
use std::fmt;

/// Why something could not be given up.
#[derive(Debug, thiserror::Error)]
#[error("enter the sandbox: {what}: {detail}")]
pub struct SandboxError {
    what: &'static str,
    detail: String,
}

#[cfg(target_os = "linux")]
impl SandboxError {
    fn new(what: &'static str) -> impl Fn(&dyn fmt::Display) -> Self {
        move |detail| Self { what, detail: detail.to_string() }
    }
}
