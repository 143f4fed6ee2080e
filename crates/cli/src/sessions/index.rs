//! What was last found out about each kept session, so that a list of thousands reads only those that went on since.
//!
//! It is derived from the journals and holds nothing of its own: a row counts as long as the journal begins and ends where it
//! did when the row was made, and a file that is missing, damaged or of another version is made anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use carrel_contract::{SessionId, SessionMode};
use carrel_journal::Head;
use serde::{Deserialize, Serialize};

use crate::data;

const VERSION: u32 = 1;

/// What is known of sessions.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    version: u32,
    rows: BTreeMap<String, Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    /// The first and the last entry of the journal that it was made of.
    entries: (u64, u64),
    known: Known,
}

/// What is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) mode: SessionMode,
    pub(super) running: usize,
    pub(super) ended: u64,
    pub(super) unread: usize,
    pub(super) used_at_ms: i64,
    pub(super) size_bytes: u64,
}

impl Index {
    /// Reads what is there; nothing where that is not to be had.
    pub(super) fn open() -> Self {
        path().and_then(|path| Self::read(&path)).unwrap_or(Self { version: VERSION, rows: BTreeMap::new() })
    }

    fn read(path: &Path) -> Option<Self> {
        let index: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (index.version == VERSION).then_some(index)
    }

    /// Returns what is known of a session whose journal is this.
    pub(super) fn get(&self, id: &SessionId, head: Head) -> Option<&Known> {
        let row = self.rows.get(id.as_str())?;
        (row.entries == entries(head)).then_some(&row.known)
    }

    /// Takes note of what was found out.
    pub(super) fn put(&mut self, id: &SessionId, head: Head, known: Known) {
        self.rows.insert(id.as_str().to_owned(), Row { entries: entries(head), known });
    }

    /// Forgets all but these.
    pub(super) fn keep(&mut self, ids: &[SessionId]) {
        self.rows.retain(|known, _| ids.binary_search_by(|id| id.as_str().cmp(known)).is_ok());
    }

    /// Keeps it for the next time. Should that fail, the next time takes longer.
    pub(super) fn save(&self) {
        if let Some(path) = path() {
            self.write(&path);
        }
    }

    fn write(&self, path: &Path) {
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let Ok(text) = serde_json::to_vec(self) else { return };
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        if folder.and_then(|()| fs::write(&beside, text)).and_then(|()| fs::rename(&beside, path)).is_err() {
            fs::remove_file(&beside).ok();
        }
    }
}

fn entries(head: Head) -> (u64, u64) {
    (head.first.0, head.last.0)
}

fn path() -> Option<PathBuf> {
    Some(data::folder().ok()?.join("sessions").join("index"))
}

#[cfg(test)]
mod tests {
    use carrel_journal::Position;

    use super::*;

    #[test]
    fn a_row_counts_as_long_as_the_journal_is_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions").join("index");
        assert!(Index::read(&path).is_none());
        let id = |id: &str| SessionId::new(id).unwrap();
        let head = |first, last| Head { first: Position(first), last: Position(last) };
        let known = Known {
            mode: SessionMode::Persistent,
            running: 1,
            ended: 2,
            unread: 3,
            used_at_ms: -4,
            size_bytes: 5,
        };
        let mut index = Index { version: VERSION, rows: BTreeMap::new() };
        index.put(&id("a"), head(1, 7), known);
        index.put(&id("b"), head(1, 7), known);
        index.keep(&[id("a"), id("c")]);
        index.write(&path);
        let read = Index::read(&path).unwrap();
        assert_eq!(read.get(&id("a"), head(1, 7)), Some(&known));
        for (name, head) in [("a", head(1, 8)), ("a", head(2, 7)), ("b", head(1, 7))] {
            assert_eq!(read.get(&id(name), head), None, "{name} {head:?}");
        }
        fs::write(&path, "{").unwrap();
        assert!(Index::read(&path).is_none());
        fs::write(&path, "{\"version\":2,\"rows\":{}}").unwrap();
        assert!(Index::read(&path).is_none());
    }
}
