//! The file: JSON with a version, replaced as a whole.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::state::{Key, Known, Tools};

const VERSION: u32 = 1;
/// The largest file that is read or written, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// What was learned could not be written down.
#[derive(Debug, thiserror::Error)]
#[error("write {}: {error}", .path.display())]
#[non_exhaustive]
pub struct SaveFailed {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub error: io::Error,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    /// By server, then by the tool's name there.
    servers: BTreeMap<String, BTreeMap<String, Known>>,
}

/// Reads a file; what is not one of ours holds nothing.
pub(super) fn read(path: &Path) -> Tools {
    match try_read(path) {
        Ok(tools) => tools,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Tools::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "what tools were seen to return is forgotten");
            Tools::new()
        }
    }
}

fn try_read(path: &Path) -> io::Result<Tools> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
    }
    let text = fs::read_to_string(path)?;
    let document: Document = serde_json::from_str(&text)?;
    if document.version != VERSION {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("version {}", document.version)));
    }
    let tools = document.servers.into_iter().flat_map(|(server, tools)| {
        tools.into_iter().map(move |(tool, known)| (Key { server: server.clone(), tool }, known))
    });
    Ok(tools.collect())
}

/// Replaces a file, and makes its folder where there is none.
pub(super) fn write(path: &Path, tools: &Tools) -> Result<(), SaveFailed> {
    try_write(path, tools).map_err(|error| SaveFailed { path: path.to_owned(), error })
}

fn try_write(path: &Path, tools: &Tools) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);

    let mut servers: BTreeMap<String, BTreeMap<String, Known>> = BTreeMap::new();
    for (key, known) in tools {
        servers.entry(key.server.clone()).or_default().insert(key.tool.clone(), known.clone());
    }
    let text = serde_json::to_string(&Document { version: VERSION, servers })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it would be larger than 16 MiB"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Of this process and of this time: nobody else writes to it.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = folder.join(format!(".{name}.{}.{number}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It may not even be there.
        fs::remove_file(&new).ok();
    }
    written
}
