//! What was installed where, so that it can be undone: one file for each, in the folder `installed` of Carrel's own.
//!
//! It has the client's file as it was, secrets included, and is readable by its owner alone. A copy of that file lies
//! beside it, for people.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::InstallError;
use super::file;

const VERSION: u32 = 1;
const FOLDER: &str = "installed";

/// One installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    pub(super) client: String,
    /// The client's file.
    pub(super) file: PathBuf,
    pub(super) project: Option<PathBuf>,
    /// Carrel's configuration behind the entry.
    pub(super) own: PathBuf,
    /// The entry's name, and the entry.
    pub(super) name: String,
    pub(super) entry: Value,
    /// The client's file before, if there was one, and after.
    pub(super) before: Option<String>,
    pub(super) after: String,
    pub(super) moved: Vec<Moved>,
}

/// A server that went behind Carrel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Moved {
    /// Its name in the client.
    pub(super) name: String,
    /// Its name in Carrel's configuration.
    pub(super) goes_by: String,
    /// Its entry there.
    pub(super) entry: Map<String, Value>,
    /// Whether it was put there by an installation, this one or another.
    pub(super) is_ours: bool,
}

/// A record and its file.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) record: Record,
}

impl Kept {
    /// Returns where the copy of the client's file lies.
    pub(super) fn copy(path: &Path) -> PathBuf {
        path.with_extension("before")
    }
}

impl Record {
    pub(super) fn text(&self) -> String {
        // A tree of texts: nothing here can fail to be JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field")]
    pub(super) fn new(
        client: &str,
        file: PathBuf,
        project: Option<PathBuf>,
        own: PathBuf,
        name: String,
        entry: Value,
        before: Option<String>,
        after: String,
        moved: Vec<Moved>,
    ) -> Self {
        Self {
            version: VERSION,
            client: client.to_owned(),
            file,
            project,
            own,
            name,
            entry,
            before,
            after,
            moved,
        }
    }
}

/// Reads all records of a folder.
pub(super) fn all(folder: &Path) -> Result<Vec<Kept>, InstallError> {
    let folder = folder.join(FOLDER);
    let unreadable = |path: &Path, source| InstallError::Unreadable { path: path.to_path_buf(), source };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(&folder, error)),
    };
    let mut kept = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(&folder, error))?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let Some(text) = file::read(&path).map_err(|error| unreadable(&path, error))? else { continue };
        let record: Record = serde_json::from_str(&text)
            .map_err(|error| unreadable(&path, io::Error::other(format!("it is no record: {error}"))))?;
        if record.version > VERSION {
            let newer = format!("it is of version {}, and this program knows {VERSION}", record.version);
            return Err(unreadable(&path, io::Error::other(newer)));
        }
        kept.push(Kept { path, text, record });
    }
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(kept)
}

/// Returns a file for a new record.
pub(super) fn free(folder: &Path, client: &str, kept: &[Kept]) -> PathBuf {
    let mut number = 1;
    loop {
        let suffix = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(FOLDER).join(format!("{client}{suffix}.json"));
        if kept.iter().all(|kept| kept.path != path) {
            return path;
        }
        number += 1;
    }
}
