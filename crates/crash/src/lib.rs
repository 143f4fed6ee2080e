//! What the crashes of this crate's program and those of its tests share: a disk that fails, a process that appends to a
//! store on it, and a simulation of sessions without processes and disks.

pub mod appends;
pub mod disk;
pub mod simulation;
