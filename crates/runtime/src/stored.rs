//! The values that carry over from cell to cell.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::{JsonText, StoredKey};
use carrel_engine::{StoreQuota, StoredSize, StoredValues};
use carrel_journal::fold::Stored;

/// What is committed at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Committed {
    values: HashMap<String, Arc<str>>,
    /// Of all keys and values.
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

impl Committed {
    fn put(&mut self, key: String, json: Arc<str>) {
        let added = key.len() + json.len();
        let replaced = self.values.get(&key).map_or(0, |old| key.len() + old.len());
        self.values.insert(key, json);
        self.bytes = self.bytes + added - replaced;
    }

    /// Returns the keys, sorted.
    pub(crate) fn keys(&self) -> Vec<StoredKey> {
        let mut keys: Vec<_> =
            self.values.iter().map(|(key, json)| StoredKey::new(key.as_str(), json.len())).collect();
        keys.sort_unstable();
        keys
    }

    /// Returns keys and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, json)| (key.as_str(), &**json))
    }

    /// Returns in which values this differs from what came to be of it, sorted by key.
    pub(crate) fn differences(self: &Arc<Self>, now: &Arc<Self>) -> Vec<Stored> {
        if Arc::ptr_eq(self, now) {
            return Vec::new();
        }
        let keys: BTreeSet<&String> = self.values.keys().chain(now.values.keys()).collect();
        let differing = keys.into_iter().filter(|key| self.values.get(*key) != now.values.get(*key));
        let value = |key: &String| self.values.get(key).map(|json| (&**json).into());
        differing.map(|key| Stored { key: key.clone(), value: value(key) }).collect()
    }

    /// Returns what differs from another in these values.
    pub(crate) fn with_differences(
        now: &Arc<Self>,
        differences: impl Iterator<Item = (String, Option<String>)>,
    ) -> Arc<Self> {
        let mut differing = Arc::clone(now);
        for (key, json) in differences {
            let committed = Arc::make_mut(&mut differing);
            match json {
                Some(json) => committed.put(key, json.into()),
                None => committed.take(&key),
            }
        }
        differing
    }

    fn take(&mut self, key: &str) {
        if let Some(json) = self.values.remove(key) {
            self.bytes -= key.len() + json.len();
        }
    }

    /// Tells whether a value would go over the quota.
    fn has_room(&self, quota: &StoreQuota, key: &str, json: &str) -> bool {
        let old = self.values.get(key);
        let replaced = old.map_or(0, |old| key.len() + old.len());
        let keys = self.values.len() + usize::from(old.is_none());
        json.len() <= quota.value_bytes
            && keys <= quota.total.keys
            && self.bytes - replaced + key.len() + json.len() <= quota.total.bytes
    }
}

/// The stored values of a session.
#[derive(Debug)]
pub(crate) struct StoredTable {
    quota: StoreQuota,
    committed: Mutex<Arc<Committed>>,
}

impl StoredTable {
    pub(crate) fn new(quota: StoreQuota) -> Self {
        Self { quota, committed: Mutex::default() }
    }

    pub(crate) fn quota(&self) -> StoreQuota {
        self.quota
    }

    /// Returns what is committed now.
    pub(crate) fn committed(&self) -> Arc<Committed> {
        Arc::clone(&self.committed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Merges a cell's writes, key by key: the last to commit wins. Returns the keys that were not written, sorted:
    /// cells that run side by side are each within the quota, but may not be together, and what comes from a guest
    /// is checked again.
    pub(crate) fn commit(&self, writes: HashMap<String, String>) -> Vec<String> {
        if writes.is_empty() {
            return Vec::new();
        }
        let mut writes: Vec<_> = writes.into_iter().collect();
        writes.sort();
        let mut refused = Vec::new();
        let mut table = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        // Copied only while a running cell still looks at what it replaces.
        let committed = Arc::make_mut(&mut table);
        for (key, json) in writes {
            if committed.has_room(&self.quota, &key, &json) && JsonText::parse(&json).is_ok() {
                committed.put(key, json.into());
            } else {
                refused.push(key);
            }
        }
        refused
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
        let table = StoredTable::new(StoreQuota::default());
        table.commit(writes(&[("a", "1"), ("b", "\"long\"")]));
        let earlier = table.committed();
        table.commit(writes(&[("b", "2"), ("c", "3")]));
        let now = table.committed();
        assert_eq!(now.get("a").as_deref(), Some("1"));
        assert_eq!(now.get("b").as_deref(), Some("2"));
        assert_eq!(now.size(), StoredSize { keys: 3, bytes: 6 });
        assert_eq!(earlier.get("b").as_deref(), Some("\"long\""), "an earlier view does not change");
        assert_eq!(earlier.size(), StoredSize { keys: 2, bytes: 9 });
    }

    #[test]
    fn holds_the_quota_whatever_the_guests_say() {
        let quota = StoreQuota { value_bytes: 10, total: StoredSize { keys: 2, bytes: 20 } };
        let table = StoredTable::new(quota);
        assert_eq!(table.commit(writes(&[("a", "12345678901")])), ["a"]);
        assert_eq!(table.commit(writes(&[("a", "not json")])), ["a"]);
        assert_eq!(table.commit(writes(&[("a", "1"), ("b", "2"), ("c", "3")])), ["c"]);
        assert_eq!(table.commit(writes(&[("a", "1234567890"), ("b", "1234567890")])), ["b"]);
        assert_eq!(table.committed().size(), StoredSize { keys: 2, bytes: 13 });
    }
}
