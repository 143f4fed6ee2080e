//! Where the program keeps what outlives it, and what a person tells it once.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use carrel_journal::SnapshotKey;
use etcetera::AppStrategy as _;

/// The variable that names the folder.
pub(crate) const VARIABLE: &str = "CARREL_DATA";
/// The variable that names the folder of configurations.
const CONFIG: &str = "CARREL_CONFIG";
/// In a folder of its own, which is all that a host process may look into.
const STORE: &str = "store/carrel.db";
/// Where the store was before host processes were given its folder.
const OLD_STORE: &str = "carrel.db";
const KEY: &str = "snapshot.key";

/// There is no folder for data.
#[derive(Debug, thiserror::Error)]
#[error("find the folder for data: this user has no home folder; name one with CARREL_DATA")]
pub(crate) struct NoDataFolder;

/// Returns the file of the store: the named one, else the one in the folder for data, to which one is moved that an earlier
/// build left elsewhere.
///
/// # Errors
/// In words that go on after "failed to".
pub(crate) fn store(named: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return Ok(named.to_path_buf());
    }
    let folder = folder().map_err(|error| error.to_string())?;
    let (old, store) = (folder.join(OLD_STORE), folder.join(STORE));
    if old.is_file() && !store.exists() {
        relocate(&old, &store)
            .map_err(|error| format!("move the store {} to {}: {error}", old.display(), store.display()))?;
    }
    Ok(store)
}

/// Moves a store, its log before itself: wherever that is cut short, the next attempt goes on from there.
fn relocate(old: &Path, new: &Path) -> io::Result<()> {
    fs::create_dir_all(new.parent().unwrap_or(Path::new("")))?;
    for suffix in ["-wal", "-shm", ""] {
        let file = |path: &Path| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        match fs::rename(file(old), file(new)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Returns the key that snapshots are signed with: this user's, made when it is needed first.
///
/// # Errors
/// In words that go on after "failed to".
pub(crate) fn snapshot_key() -> Result<SnapshotKey, String> {
    let file = snapshot_key_file().map_err(|error| error.to_string())?;
    SnapshotKey::of_file(&file).map_err(|error| error.to_string())
}

/// Returns the file of that key.
pub(crate) fn snapshot_key_file() -> Result<PathBuf, NoDataFolder> {
    folder().map(|folder| folder.join(KEY))
}

/// Returns the folder; it may not be there yet.
pub(crate) fn folder() -> Result<PathBuf, NoDataFolder> {
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    // The system's own convention, which on macOS is not that of XDG.
    etcetera::app_strategy::choose_native_strategy(names())
        .map(|strategy| strategy.data_dir())
        .map_err(|_| NoDataFolder)
}

/// There is no folder for configurations.
#[derive(Debug, thiserror::Error)]
#[error("find the folder for configurations: this user has no home folder; name one with CARREL_CONFIG")]
pub(crate) struct NoConfigFolder;

/// Returns the folder of configurations; it may not be there yet. On macOS it is `~/.config/carrel`, too: people write here.
pub(crate) fn config() -> Result<PathBuf, NoConfigFolder> {
    if let Some(named) = env::var_os(CONFIG).filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    etcetera::app_strategy::choose_app_strategy(names())
        .map(|strategy| strategy.config_dir())
        .map_err(|_| NoConfigFolder)
}

fn names() -> etcetera::AppStrategyArgs {
    etcetera::AppStrategyArgs {
        top_level_domain: String::new(),
        author: String::new(),
        app_name: "carrel".to_owned(),
    }
}
