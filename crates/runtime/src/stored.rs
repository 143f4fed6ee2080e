//! The values that carry over from cell to cell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use carrel_engine::{StoredSize, StoredValues};

/// What is committed at one moment. A cell keeps the one of its admission while it lives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Committed {
    values: HashMap<String, Arc<str>>,
    bytes: usize,
}

impl StoredValues for Committed {
    fn get(&self, key: &str) -> Option<Arc<str>> {
        self.values.get(key).cloned()
    }

    fn size(&self) -> StoredSize {
        StoredSize { keys: self.values.len(), bytes: self.bytes }
    }
}

/// The stored values of a session.
#[derive(Debug, Default)]
pub(crate) struct StoredTable(Mutex<Arc<Committed>>);

impl StoredTable {
    /// Returns what is committed now.
    pub(crate) fn committed(&self) -> Arc<Committed> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Merges a cell's writes, key by key: the last to commit wins.
    pub(crate) fn commit(&self, writes: HashMap<String, String>) {
        if writes.is_empty() {
            return;
        }
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Copied only while a running cell still looks at what it replaces.
        let committed = Arc::make_mut(&mut table);
        for (key, json) in writes {
            committed.bytes += json.len();
            if let Some(old) = committed.values.insert(key, json.into()) {
                committed.bytes -= old.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, json)| ((*key).to_owned(), (*json).to_owned())).collect()
    }

    #[test]
    fn merges_key_by_key_and_counts_bytes() {
        let table = StoredTable::default();
        table.commit(writes(&[("a", "1"), ("b", "\"long\"")]));
        let earlier = table.committed();
        table.commit(writes(&[("b", "2"), ("c", "3")]));
        let now = table.committed();
        assert_eq!(now.get("a").as_deref(), Some("1"));
        assert_eq!(now.get("b").as_deref(), Some("2"));
        assert_eq!(now.size(), StoredSize { keys: 3, bytes: 3 });
        assert_eq!(earlier.get("b").as_deref(), Some("\"long\""), "an earlier view does not change");
        assert_eq!(earlier.size(), StoredSize { keys: 2, bytes: 7 });
    }
}
