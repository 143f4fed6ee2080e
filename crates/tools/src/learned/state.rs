//! What is known of each tool, and of which there is news.

use std::collections::{BTreeMap, BTreeSet};

use carrel_catalogue::observed::Observed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tools that are kept; of more, nothing is learned.
const MAX_TOOLS: usize = 2_000;

/// A tool, by its server and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) server: String,
    pub(super) tool: String,
}

/// What one tool was seen to return, as long as it takes what it took then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Of the input schema.
    pub(super) fingerprint: u64,
    pub(super) observed: Observed,
}

pub(super) type Tools = BTreeMap<Key, Known>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tools: Tools,
    /// Those of which more is known than the file holds.
    pub(super) changed: BTreeSet<Key>,
    /// Answers of this process, learned from or not.
    calls: BTreeMap<Key, u64>,
}

impl State {
    pub(super) fn new(tools: Tools) -> Self {
        Self { tools, ..Self::default() }
    }

    /// Counts an answer; returns how many there were.
    pub(super) fn count(&mut self, key: &Key) -> u64 {
        let calls = self.calls.entry(key.clone()).or_default();
        *calls = calls.wrapping_add(1);
        *calls
    }

    pub(super) fn of(&self, key: &Key, fingerprint: u64) -> Option<&Observed> {
        self.tools.get(key).filter(|known| known.fingerprint == fingerprint).map(|known| &known.observed)
    }

    pub(super) fn observe(&mut self, key: Key, fingerprint: u64, value: &Value) {
        if self.tools.len() >= MAX_TOOLS && !self.tools.contains_key(&key) {
            return;
        }
        let known = self
            .tools
            .entry(key.clone())
            .and_modify(|known| {
                if known.fingerprint != fingerprint {
                    *known = Known { fingerprint, observed: Observed::default() };
                }
            })
            .or_insert_with(|| Known { fingerprint, observed: Observed::default() });
        if known.observed.observe(value) {
            self.changed.insert(key);
        }
    }

    /// Returns what there is news of, which is none any more.
    pub(super) fn take_changed(&mut self) -> Tools {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|key| Some((key.clone(), self.tools.get(&key)?.clone()))).collect()
    }
}
