//! The one place that knows which provider is behind the trait.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use carrel_checker::Checker;
use carrel_contract::CodeModeSessionProvider;
use carrel_contract::error::EngineFailure;
use carrel_host::{HostCommand, ProcessOptions, ProcessProvider};
use carrel_journal::{SnapshotKey, Store};
use carrel_runtime::{InProcessProvider, Options};

use crate::args::Isolation;
use crate::data;
use crate::units::show_bytes;

/// Cells at once: every command here runs one or two. Each place in the pool costs a system call at start, and the
/// default's thousand would be 2 of the 8 ms that a whole run takes.
const CELLS_AT_ONCE: u32 = 8;

/// Makes the provider that runs cells in this process.
pub(crate) fn in_process() -> Result<Arc<dyn CodeModeSessionProvider>, EngineFailure> {
    Ok(Arc::new(InProcessProvider::new(options())?))
}

/// Makes the provider of sessions that are kept in a store.
pub(crate) fn keeping(store: Arc<dyn Store>) -> Result<Arc<InProcessProvider>, EngineFailure> {
    let mut options = options();
    options.snapshot_key = Some(snapshot_key()?);
    options.store = Some(store);
    Ok(Arc::new(InProcessProvider::new(options)?))
}

/// Makes the provider of a program that serves many: with as many cells as the engine has places for, and the sessions kept
/// in a store where there is one.
pub(crate) fn serving(store: Option<Arc<dyn Store>>) -> Result<Arc<InProcessProvider>, EngineFailure> {
    let mut options = options();
    options.engine.max_vms = Options::default().engine.max_vms;
    if store.is_some() {
        options.snapshot_key = Some(snapshot_key()?);
    }
    options.store = store;
    Ok(Arc::new(InProcessProvider::new(options)?))
}

/// Makes the provider of a host. It has no type checker, which is a process: a cell is told that it was not checked.
pub(crate) fn hosting(
    store: Option<Arc<dyn Store>>,
    processors: NonZeroUsize,
) -> Result<Arc<InProcessProvider>, EngineFailure> {
    let mut options = Options::default();
    options.guest_threads = Some(processors);
    options.store = store;
    Ok(Arc::new(InProcessProvider::new(options)?))
}

/// Makes the provider that cells are isolated by.
pub(crate) fn of(isolation: Isolation) -> Result<Arc<dyn CodeModeSessionProvider>, EngineFailure> {
    match isolation {
        Isolation::None => in_process(),
        Isolation::Process => in_hosts(),
    }
}

/// Makes the provider that runs cells in processes of this program's.
fn in_hosts() -> Result<Arc<dyn CodeModeSessionProvider>, EngineFailure> {
    let failed = |error: io::Error| EngineFailure { detail: format!("failed to start hosts: {error}") };
    let program = std::env::current_exe().map_err(failed)?;
    let options = ProcessOptions::new(HostCommand::carrel(program));
    Ok(Arc::new(ProcessProvider::new(options).map_err(failed)?))
}

/// The least memory that a cell can be given. Only the engine behind the provider knows; a test holds this to it.
const MIN_MEMORY_BYTES: usize = 2 << 20;

/// Returns the least and the most memory that a cell can be given.
pub(crate) fn memory_range() -> (usize, usize) {
    (MIN_MEMORY_BYTES, options().engine.max_memory_bytes)
}

fn snapshot_key() -> Result<SnapshotKey, EngineFailure> {
    data::snapshot_key().map_err(|detail| EngineFailure { detail })
}

fn options() -> Options {
    let mut options = Options::default();
    options.engine.max_vms = CELLS_AT_ONCE;
    // It looks for its compiler, and starts it, when a session first has a cell checked.
    options.checker = Some(Arc::new(Checker::new(carrel_checker::Options::default())));
    options
}

/// Says how many cells that provider holds at once, for the doctor.
pub(crate) fn describe_pool() -> String {
    let options = options();
    let threads = options.guest_threads.or_else(|| std::thread::available_parallelism().ok());
    format!(
        "{} cells at once, each with {} of memory at most; those that compute share {} threads",
        options.engine.max_vms,
        show_bytes(options.engine.max_memory_bytes),
        threads.map_or(1, NonZeroUsize::get),
    )
}
