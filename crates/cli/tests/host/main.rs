//! Sessions in host processes: the contract suite, and what becomes of sessions when hosts die.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod contract;
mod faults;
mod harness;
mod kills;
mod load;
mod orphans;
mod python;
mod sandbox;
mod strangers;
