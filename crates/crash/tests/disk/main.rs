//! Stores on disks that fail, lose their power, or lie, and sessions with two owners, in processes of their own.
//!
//! `CARREL_SEED` makes the random choices of a run again; it is printed.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod faults;
mod owners;
mod power;
mod trace;

use std::path::Path;
use std::process::{Command, Output};

use carrel_crash::disk;

/// Has a process append so many entries to each of its sessions, on a disk with a fault.
fn append(folder: &Path, count: u64, fault: &str, trace: Option<&Path>) -> Output {
    assert!(disk::is_here());
    let mut command = Command::new(env!("CARGO_BIN_EXE_carrel-crash"));
    command.args(["append".as_ref(), folder.as_os_str(), count.to_string().as_ref()]);
    disk::under(&mut command, fault, trace);
    command.output().unwrap()
}

/// Numbers below a bound, from a seed (the generator of PCG, without its last step).
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = std::env::var("CARREL_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        println!("CARREL_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}
