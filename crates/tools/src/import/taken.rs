//! A server's entry as another client has it, in Carrel's words, and what that loses.

use serde_json::{Map, Value, json};

use super::Places;
use super::variables::{self, Dialect};
use crate::config::McpConfig;

/// What becomes of an entry.
pub(crate) struct Taken {
    /// The entry in Carrel's words. May hold secrets.
    pub(crate) entry: Map<String, Value>,
    /// What does not mean here what it means there.
    pub(crate) lost: Vec<String>,
    /// Why Carrel does not reach such a server.
    pub(crate) unsupported: Vec<String>,
    /// Why the entry cannot be used, for "failed to …".
    pub(crate) invalid: Option<String>,
}

impl Taken {
    pub(crate) fn new(name: &str, entry: Map<String, Value>, dialect: Dialect, places: &Places) -> Self {
        let translated = variables::translate(entry, dialect, places);
        let (lost, entry) = (translated.notes, translated.entry);
        let checked = json!({ "mcpServers": { name: entry.clone() } }).to_string();
        // Every variable counts as set: whether they are is known when they are needed.
        match McpConfig::parse(&checked, "it", &|_: &str| Some("value".to_owned())) {
            Ok(config) => {
                let unsupported = config.unsupported.iter().map(ToString::to_string).collect();
                Self { entry, lost, unsupported, invalid: None }
            }
            Err(error) => Self { entry, lost, unsupported: Vec::new(), invalid: Some(error.to_string()) },
        }
    }
}
