//! What a person is shown of a change: the servers before and after, without what is secret.

use serde_json::Value;
use similar::TextDiff;

use super::document::{Servers, write};
use crate::import::{Client, secret};

const HIDDEN: &str = "[hidden]";

/// Returns the difference between the servers of a file.
pub(super) fn difference(client: Client, file: &str, before: &Servers, after: &Servers) -> String {
    let text = |servers: &Servers| {
        if servers.is_empty() { String::new() } else { write(client, &hidden(servers)).unwrap_or_default() }
    };
    let (before, after) = (text(before), text(after));
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).header(file, file).to_string()
}

/// Hides what is written out in environments and headers, and what looks like a secret elsewhere.
fn hidden(servers: &Servers) -> Servers {
    let mut servers = servers.clone();
    for entry in servers.values_mut() {
        for field in ["env", "headers", "http_headers"] {
            let values = entry.get_mut(field).and_then(Value::as_object_mut);
            for value in values.into_iter().flat_map(|values| values.values_mut()) {
                if !value.as_str().is_some_and(|text| text.contains("${")) {
                    *value = Value::from(HIDDEN);
                }
            }
        }
        let places = entry.as_object().map(secret::written_out).unwrap_or_default();
        for place in places {
            if let Some(value) = secret::at(entry, &place) {
                *value = Value::from(HIDDEN);
            }
        }
    }
    servers
}
