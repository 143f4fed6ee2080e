//! A client's file as it would be had Carrel never been installed.

use serde_json::Value;

use super::document::{self, Invalid};
use super::record::Record;
use crate::import::Client;

/// Returns the client's file without what a record put in; `None` when there was none and nothing else came since.
///
/// What nobody changed is as it was, byte for byte. Else our entry is taken out, what was taken out is put back, and the
/// rest stays.
pub(super) fn client(
    client: Client,
    record: &Record,
    now: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Option<String>, Invalid> {
    let before = record.before.as_deref();
    // A file that is gone took the servers with it that were left in it, not those that were moved.
    if now.is_none() || now == Some(&record.after) || now == before {
        return Ok(record.before.clone());
    }
    let now = now.unwrap_or_default();
    let mut document = document::open(client, now)?;
    let content = document::read(client, now)?;
    let was = document::open(client, before.unwrap_or_default())?;
    let was_content = document::read(client, before.unwrap_or_default())?;

    let is_ours = |entry: &Value| entry.get("command") == record.entry.get("command");
    let mut is_out = true;
    if let Some(entry) = content.servers.get(&record.name) {
        is_out = is_ours(entry);
        if is_out {
            document.remove(&record.name);
        } else {
            notes.push(format!("`{}` is another server by now, and stays", record.name));
        }
    }
    let replaced = was_content.servers.contains_key(&record.name).then_some(&record.name).filter(|_| is_out);
    for name in record.moved.iter().map(|moved| &moved.name).chain(replaced) {
        if *name != record.name && content.servers.contains_key(name) {
            notes.push(format!("`{name}` is in the client again, and stays as it is there"));
        } else if let Some(raw) = was.raw(name) {
            document.insert_raw(name, &raw);
        }
    }
    if was_content.servers.is_empty() {
        document.prune();
    }
    let text = document.text();
    let is_empty = document::read(client, &text)? == document::Content::default();
    Ok(if is_empty && before.is_none() { None } else { Some(text) })
}
