//! Host processes: started, watched, replaced, and never left behind.

mod child;
mod options;
mod orphan;
mod pool;
mod provider;
mod reaper;

pub use options::{HostCommand, Pool, ProcessOptions, Transport};
pub use orphan::die_with_parent;
pub use provider::ProcessProvider;
