//! The disk that fails, under a process: `disk/disk.c`, preloaded.

use std::path::Path;
use std::process::Command;

/// The library; empty where there is none.
const LIBRARY: &str = env!("CARREL_DISK");

/// Tells whether this system has such a disk.
#[must_use]
pub fn is_here() -> bool {
    !LIBRARY.is_empty()
}

/// Has a process stand on a disk with a fault, as `disk.c` reads it, and told of in a file.
pub fn under(command: &mut Command, fault: &str, trace: Option<&Path>) {
    command.env("LD_PRELOAD", LIBRARY).env("CARREL_DISK_FAULT", fault);
    if let Some(trace) = trace {
        command.env("CARREL_DISK_TRACE", trace);
    }
}
