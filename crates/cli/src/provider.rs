//! The one place that knows which provider is behind the trait.

use std::num::NonZeroUsize;
use std::sync::Arc;

use carrel_contract::CodeModeSessionProvider;
use carrel_contract::error::EngineFailure;
use carrel_runtime::{InProcessProvider, Options};

use crate::units::show_bytes;

/// Makes the provider that runs cells in this process.
pub(crate) fn in_process() -> Result<Arc<dyn CodeModeSessionProvider>, EngineFailure> {
    Ok(Arc::new(InProcessProvider::new(Options::default())?))
}

/// Says how many cells that provider holds at once, for the doctor.
pub(crate) fn describe_pool() -> String {
    let options = Options::default();
    let threads = options.guest_threads.or_else(|| std::thread::available_parallelism().ok());
    format!(
        "{} cells at once, each with {} of memory at most; those that compute share {} threads",
        options.engine.max_vms,
        show_bytes(options.engine.max_memory_bytes),
        threads.map_or(1, NonZeroUsize::get),
    )
}
