//! What the crashes of this crate's program and those of its tests share: a disk that fails, and a process that appends to
//! a store on it.

pub mod appends;
pub mod disk;
