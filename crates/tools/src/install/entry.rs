//! The entry that starts Carrel, as each client writes it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::Setup;
use crate::import::Client;

/// Codex waits 10 s for a server's start; those behind Carrel may have to be fetched first.
const STARTUP_SECONDS: u32 = 60;

/// Writes the entry. `variables` are those that the servers behind it refer to.
pub(super) fn entry(client: Client, setup: &Setup<'_>, own: &Path, variables: &BTreeSet<String>) -> Value {
    let mut entry = Map::new();
    if !matches!(client, Client::Codex | Client::ClaudeDesktop) {
        entry.insert("type".to_owned(), json!("stdio"));
    }
    entry.insert("command".to_owned(), json!(setup.program));
    entry.insert("args".to_owned(), json!(["mcp", "--config", own]));
    let environment: Map<String, Value> =
        setup.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    if !environment.is_empty() {
        entry.insert("env".to_owned(), Value::Object(environment));
    }
    if client == Client::Codex {
        // It hands on a few variables, HOME and PATH among them, and those that are named here:
        // `create_env_for_mcp_server` of codex-rs/rmcp-client/src/utils.rs in <https://github.com/openai/codex>.
        if !variables.is_empty() {
            entry.insert("env_vars".to_owned(), json!(variables));
        }
        entry.insert("startup_timeout_sec".to_owned(), json!(STARTUP_SECONDS));
    }
    Value::Object(entry)
}

/// Tells whether an entry starts a server that is Carrel's: one behind itself would never be ready.
pub(super) fn is_carrel(entry: &Value) -> bool {
    let command = entry.get("command").and_then(Value::as_str).map(Path::new);
    let is_named = command.and_then(Path::file_stem).is_some_and(|name| name == "carrel");
    is_named && entry.pointer("/args/0").and_then(Value::as_str) == Some("mcp")
}

/// Adds the variables that the texts of a value refer to.
pub(super) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            for part in text.split("${").skip(1) {
                let name: String =
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                // Carrel sets the first, and every client hands on the others.
                if !matches!(name.as_str(), "" | "CARREL" | "HOME" | "PATH" | "USER") {
                    found.insert(name);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(entries) => entries.values().for_each(|entry| references(entry, found)),
        _ => {}
    }
}
