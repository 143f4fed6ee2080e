//! The one place that knows which provider is behind the trait.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use carrel_checker::Checker;
use carrel_contract::error::EngineFailure;
use carrel_contract::{CellChecker, CodeModeSessionProvider};
use carrel_host::{ClientChecker, HostCommand, ProcessOptions, ProcessProvider};
use carrel_journal::{SnapshotKey, Store};
use carrel_runtime::{InProcessProvider, Options};
use tokio::time::timeout;

use crate::args::Isolation;
use crate::data;
use crate::sessions::Shelf;
use crate::units::show_bytes;

/// Cells at once: every command here runs one or two. Each place in the pool costs a system call at start, and the
/// default's thousand would be 2 of the 8 ms that a whole run takes.
const CELLS_AT_ONCE: u32 = 8;

/// How long kept sessions have to be written down when a program ends.
pub(crate) const LEAVING: Duration = Duration::from_secs(5);
/// How much longer than its sessions a host may take to end.
const A_MOMENT: Duration = Duration::from_secs(1);

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

/// Makes the provider of a host, whose clients have the type checker: that is a process, and a host starts none.
pub(crate) fn hosting(
    store: Option<(Arc<dyn Store>, Option<SnapshotKey>)>,
    checker: Arc<ClientChecker>,
    cells_at_once: Option<u32>,
    processors: NonZeroUsize,
) -> Result<Arc<InProcessProvider>, EngineFailure> {
    let mut options = Options::default();
    options.engine.max_vms = cells_at_once.unwrap_or(options.engine.max_vms);
    options.guest_threads = Some(processors);
    options.checker = Some(checker);
    if let Some((store, key)) = store {
        (options.store, options.snapshot_key) = (Some(store), key);
    }
    Ok(Arc::new(InProcessProvider::new(options)?))
}

/// Where the sessions of a command are.
#[derive(Clone)]
pub(crate) enum Home {
    /// In this process.
    Here(Arc<InProcessProvider>),
    /// In another one, which this one watches.
    Apart(Arc<ProcessProvider>),
}

/// How many cells a command runs at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// One or two.
    Few,
    /// As many as the engine has places for.
    Many,
}

impl Home {
    /// Makes it; sessions are kept on the shelf where there is one.
    pub(crate) fn new(
        isolation: Isolation,
        shelf: Option<&Shelf>,
        crowd: Crowd,
    ) -> Result<Self, EngineFailure> {
        match isolation {
            Isolation::None => {
                let mut options = options();
                if crowd == Crowd::Many {
                    options.engine.max_vms = Options::default().engine.max_vms;
                }
                if let Some(shelf) = shelf {
                    options.snapshot_key = Some(snapshot_key()?);
                    options.store = Some(shelf.as_store());
                }
                Ok(Self::Here(Arc::new(InProcessProvider::new(options)?)))
            }
            Isolation::Process => {
                let failed =
                    |error: io::Error| EngineFailure { detail: format!("failed to start hosts: {error}") };
                let mut command = HostCommand::carrel(this_program().map_err(failed)?);
                if crowd == Crowd::Few {
                    command = command.arg("--cells").arg(CELLS_AT_ONCE.to_string());
                }
                if let Some(shelf) = shelf {
                    // A host stands in another folder.
                    let store = std::path::absolute(&shelf.path).map_err(failed)?;
                    let key = data::snapshot_key_file()
                        .map_err(|error| EngineFailure { detail: error.to_string() })?;
                    let key = std::path::absolute(key).map_err(failed)?;
                    command = command.arg("--store").arg(store).arg("--snapshot-key").arg(key);
                }
                let mut options = ProcessOptions::new(command);
                options.checker = Some(checker());
                Ok(Self::Apart(Arc::new(ProcessProvider::new(options).map_err(failed)?)))
            }
        }
    }

    pub(crate) fn provider(&self) -> Arc<dyn CodeModeSessionProvider> {
        match self {
            Self::Here(provider) => Arc::clone(provider) as _,
            Self::Apart(provider) => Arc::clone(provider) as _,
        }
    }

    /// Starts what the first session will need.
    pub(crate) async fn start(&self) {
        if let Self::Apart(provider) = self {
            // The first session fails as this does, and says so.
            provider.start().await.ok();
        }
    }

    /// Sees that sessions which nobody holds any more are written down, and that no process is left. What takes longer
    /// than a while is known all the same: it is done again.
    pub(crate) async fn close(&self) {
        match self {
            Self::Here(provider) => drop(timeout(LEAVING, provider.settle()).await),
            Self::Apart(provider) => provider.close(LEAVING + A_MOMENT).await,
        }
    }
}

/// Names this program for processes that it starts. On Linux that is what runs, even when its file was replaced meanwhile.
fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
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
    options.checker = Some(checker());
    options
}

/// Makes the type checker, which looks for its compiler, and starts it, when a session first has a cell checked.
fn checker() -> Arc<dyn CellChecker> {
    Arc::new(Checker::new(carrel_checker::Options::default()))
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
