//! The provider behind the protocol.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use carrel_contract::CodeModeSessionProvider;
use carrel_journal::{SnapshotKey, Sqlite, Store};
use carrel_runtime::{InProcessProvider, Options};

/// The names of the files in the folder.
const STORE: &str = "codex.db";
const KEY: &str = "snapshot.key";

/// The cells that there are places for from the start.
const FIRST_VMS: u32 = 100;

/// Makes a provider, of sessions that can be kept in a folder where one is named.
pub(crate) fn make(folder: Option<&Path>) -> Result<Arc<dyn CodeModeSessionProvider>, String> {
    let mut options = Options::default();
    // A client waits for its host to start, and few have many cells at once.
    options.engine.first_vms = Some(FIRST_VMS);
    if let Some(folder) = folder {
        let failed = |error: &dyn std::fmt::Display| {
            format!("failed to keep sessions in {}: {error}", folder.display())
        };
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let file = folder.join(STORE);
        Sqlite::make_file(&file).map_err(|error| failed(&error))?;
        let store = Sqlite::open(&file).map_err(|error| failed(&error))?;
        options.store = Some(Arc::new(store) as Arc<dyn Store>);
        options.snapshot_key = Some(SnapshotKey::of_file(&folder.join(KEY)).map_err(|error| failed(&error))?);
    }
    let provider = InProcessProvider::new(options).map_err(|error| format!("failed to {error}"))?;
    Ok(Arc::new(provider))
}
