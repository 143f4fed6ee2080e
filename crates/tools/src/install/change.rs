//! What will be another, to be shown and then made, or not.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::InstallError;
use super::document::Servers;
use super::file::{self, FileChange};
use super::shown;
use crate::import::Client;

/// Why a change was not made, or not wholly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// Somebody else wrote a file since it was read. Nothing was changed.
    #[error("change {}: it was changed meanwhile; try again", .0.display())]
    Stale(PathBuf),
    /// A file cannot be written. Those before it were; the same again goes on from there.
    #[error("write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A change of several files.
#[derive(Clone, Debug)]
pub struct Change {
    client: Client,
    file: PathBuf,
    shown: String,
    notes: Vec<String>,
    files: Vec<FileChange>,
}

impl Change {
    pub(super) fn new(client: Client, file: PathBuf, notes: Vec<String>) -> Self {
        Self { client, file, shown: String::new(), notes, files: Vec::new() }
    }

    pub(super) fn show(&mut self, form: Client, file: &Path, before: &Servers, after: &Servers) {
        self.shown.push_str(&shown::difference(form, &file.display().to_string(), before, after));
    }

    pub(super) fn push(&mut self, change: FileChange) {
        if change.is_needed() {
            self.files.push(change);
        }
    }

    /// Keeps a copy, or no longer.
    pub(super) fn copy(&mut self, path: PathBuf, text: Option<String>) -> Result<(), InstallError> {
        let before = match file::read(&path) {
            Ok(before) => before,
            Err(source) => return Err(InstallError::Unreadable { path, source }),
        };
        self.push(FileChange { path, before, after: text, is_private: true });
        Ok(())
    }

    /// Returns the client.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client
    }

    /// Returns the client's file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Tells whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the servers that change, as a difference of the files, without secrets.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns what is to be known: lines for a person, without secrets.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Changes the files, each at once, in an order that can be broken off anywhere: the same again goes on from there.
    ///
    /// # Errors
    /// [`ApplyError`], when a file is no longer as it was read, or cannot be written.
    pub fn apply(&self, folder: &Path) -> Result<(), ApplyError> {
        let failed = |path: &Path, source| ApplyError::Write { path: path.to_path_buf(), source };
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let lock = folder.join("lock");
        let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _held = held.map_err(|error| failed(&lock, error))?;
        for change in &self.files {
            match change.is_fresh() {
                Ok(true) => {}
                Ok(false) => return Err(ApplyError::Stale(change.path.clone())),
                Err(error) => return Err(failed(&change.path, error)),
            }
        }
        self.files.iter().try_for_each(|change| change.make().map_err(|error| failed(&change.path, error)))
    }
}
