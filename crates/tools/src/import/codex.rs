//! Codex's `[mcp_servers.NAME]`: <https://developers.openai.com/codex/mcp>, and the fields of
//! `codex-rs/config/src/mcp_types.rs` in <https://github.com/openai/codex>.

use serde_json::{Map, Value, json};

use super::client::Found;
use super::variables::Dialect;

/// Reads the servers of a `config.toml`.
pub(super) fn servers(text: &str) -> Result<Found, String> {
    let document: Map<String, Value> =
        toml::from_str(text).map_err(|error| format!("it is no TOML: {}", error.message()))?;
    let mut notes = Vec::new();
    let mut servers = Vec::new();
    for (name, entry) in document.get("mcp_servers").and_then(Value::as_object).into_iter().flatten() {
        match entry {
            Value::Object(entry) => servers.push((name.clone(), server(name, entry, &mut notes))),
            _ => notes.push(format!("`{name}` is left out: it is no table")),
        }
    }
    Ok(Found { servers, dialect: Dialect::Carrel, notes })
}

/// Writes an entry as other clients would.
pub(crate) fn server(name: &str, entry: &Map<String, Value>, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut out = Map::new();
    for field in ["command", "args", "cwd", "url", "enabled"] {
        if let Some(value) = entry.get(field) {
            out.insert(field.to_owned(), value.clone());
        }
    }
    let texts = |field: &str| entry.get(field).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut env: Map<String, Value> =
        texts("env").iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    // Names of variables to hand on, or tables that also say where they come from.
    for variable in entry.get("env_vars").and_then(Value::as_array).into_iter().flatten() {
        let name = variable.as_str().or_else(|| variable.get("name")?.as_str());
        if let Some(name) = name {
            env.entry(name).or_insert_with(|| json!(format!("${{{name}:-}}")));
        }
    }
    let mut headers: Map<String, Value> =
        texts("http_headers").iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (header, variable) in texts("env_http_headers") {
        if let Some(variable) = variable.as_str() {
            headers.insert(header, json!(format!("${{{variable}}}")));
        }
    }
    if let Some(variable) = entry.get("bearer_token_env_var").and_then(Value::as_str) {
        headers.insert("Authorization".to_owned(), json!(format!("Bearer ${{{variable}}}")));
    }
    for (field, values) in [("env", env), ("headers", headers)] {
        if !values.is_empty() {
            out.insert(field.to_owned(), Value::Object(values));
        }
    }
    for field in ["enabled_tools", "disabled_tools"] {
        if entry.contains_key(field) {
            notes.push(format!("`{name}`: `{field}` is not taken over; a policy can say it"));
        }
    }
    out
}
