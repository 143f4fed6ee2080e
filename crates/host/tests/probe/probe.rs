//! Tries what a host must not be able to do, one thing a run: in a host's sandbox or, to show that it tries, outside of it.
//!
//! `carrel-sandbox-probe STAGE ACTION FOLDER OUTSIDE PORT`. The stage is `free`, `confined` (Landlock alone), `sealed` (a host in memory) or
//! `journaled` (a host with the folder). It prints how much of the sandbox it has, and exits with 0 when the action was done
//! and with 1 when it was refused. Where a filter of system calls forbids it, it is killed.

#[cfg(target_os = "linux")]
mod actions;
#[cfg(target_os = "linux")]
mod stages;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    stages::run()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    ExitCode::from(2)
}
