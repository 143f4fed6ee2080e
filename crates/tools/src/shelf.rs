//! What tools there are now: the lists of all servers and the catalogue made of them, which becomes another when a list
//! does. Whoever holds a catalogue keeps it whole; whoever wants to hear of the next one watches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::catalogue::Catalogue;
use crate::source::SourceTool;

/// The tools of every server, and their catalogue.
#[derive(Debug)]
pub(crate) struct Shelf {
    lists: Mutex<BTreeMap<Arc<str>, Vec<SourceTool>>>,
    current: watch::Sender<Arc<Catalogue>>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { lists: Mutex::default(), current: watch::Sender::new(Arc::default()) }
    }
}

impl Shelf {
    /// Replaces the lists of some servers. Nothing happens when they are what they were.
    pub(crate) fn put(&self, lists: impl IntoIterator<Item = (Arc<str>, Vec<SourceTool>)>) {
        let mut all = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for (server, tools) in lists {
            if all.get(&server) != Some(&tools) {
                all.insert(server, tools);
                changed = true;
            }
        }
        if changed {
            let lists = all.iter().map(|(server, tools)| (Arc::clone(server), tools.clone()));
            let next = Arc::new(self.current().followed_by(lists));
            // Under the lock of the lists, so that a catalogue is never followed by an older one.
            self.current.send_replace(next);
        }
    }

    pub(crate) fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.borrow())
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.current.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools(names: &[&str]) -> Vec<SourceTool> {
        let tool = |name: &&str| {
            let tool: rmcp::model::Tool =
                serde_json::from_value(json!({ "name": name, "inputSchema": {} })).unwrap();
            tool.into()
        };
        names.iter().map(tool).collect()
    }

    #[test]
    fn a_watcher_hears_of_changes_alone_and_names_stay() {
        let shelf = Shelf::default();
        let mut watch = shelf.watch();
        shelf.put([("s".into(), tools(&["x_"])), ("t".into(), tools(&["y"]))]);
        assert!(watch.has_changed().unwrap());
        let first = watch.borrow_and_update().clone();
        shelf.put([("s".into(), tools(&["x_"]))]);
        assert!(!watch.has_changed().unwrap());
        shelf.put([("s".into(), tools(&["x-", "x_"]))]);
        let names: Vec<(String, String)> = watch
            .borrow_and_update()
            .iter()
            .map(|entry| (entry.name.to_string(), entry.tool.clone()))
            .collect();
        let pair = |name: &str, tool: &str| (name.to_owned(), tool.to_owned());
        assert_eq!(names, [pair("s__x_", "x_"), pair("s__x__2", "x-"), pair("t__y", "y")]);
        assert_eq!(first.len(), 2);
    }
}
