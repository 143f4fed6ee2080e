//! What happened outside of the sessions: a file that is only ever appended to, a line at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The world, as one process writes it.
pub(crate) struct World {
    path: PathBuf,
    file: Mutex<File>,
}

impl World {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("world");
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self { path, file: Mutex::new(file) })
    }

    /// Says that something happened. There before this returns, whatever becomes of the process.
    pub(crate) fn say(&self, line: &str) {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            eprintln!("carrel-crash: the world cannot be written: {error}");
            std::process::abort();
        }
    }

    /// Returns what was said so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        lines(&self.path)
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns what was said in a folder's world.
pub(crate) fn read(folder: &Path) -> Vec<String> {
    lines(&folder.join("world"))
}
