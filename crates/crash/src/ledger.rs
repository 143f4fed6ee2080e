//! What was really done outside of the sessions: a file with a line for each effect that must not be had twice.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

const NAME: &str = "ledger";

/// Does it: there before this returns, whatever becomes of the process.
pub(crate) fn enter(folder: &Path, key: &str) {
    let opened = OpenOptions::new().create(true).append(true).open(folder.join(NAME));
    if let Err(error) = opened.and_then(|mut file| file.write_all(format!("{key}\n").as_bytes())) {
        eprintln!("carrel-crash: the ledger cannot be written: {error}");
        std::process::abort();
    }
}

/// Returns what was done, each as often as it was.
pub(crate) fn read(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(NAME)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
