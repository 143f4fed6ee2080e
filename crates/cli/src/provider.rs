//! The one place that knows which provider is behind the trait.

use std::sync::Arc;

use carrel_contract::CodeModeSessionProvider;
use carrel_contract::error::EngineFailure;
use carrel_runtime::{InProcessProvider, Options};

/// Makes the provider that runs cells in this process.
pub(crate) fn in_process() -> Result<Arc<dyn CodeModeSessionProvider>, EngineFailure> {
    Ok(Arc::new(InProcessProvider::new(Options::default())?))
}

/// Says how many cells can run at once, for the doctor.
pub(crate) fn describe_pool() -> String {
    String::from("TODO")
}
