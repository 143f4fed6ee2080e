//! TOML: what Codex keeps, a table for each server under `mcp_servers`.

use serde_json::Value as Json;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::BYTE_ORDER_MARK;
use super::document::{Document, Invalid};

const FIELD: &str = "mcp_servers";

/// A text of TOML.
pub(super) struct Toml {
    document: DocumentMut,
    has_mark: bool,
}

impl Toml {
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        let bare = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let document = bare.parse::<DocumentMut>().map_err(|error| {
            Invalid::at(bare, error.span().map_or(0, |span| span.start), error.message().to_owned())
        })?;
        Ok(Self { document, has_mark: bare.len() < text.len() })
    }

    fn servers(&mut self) -> Option<&mut dyn TableLike> {
        self.document.get_mut(FIELD)?.as_table_like_mut()
    }

    fn put(&mut self, name: &str, item: Item) {
        if self.servers().is_none() {
            let mut servers = Table::new();
            // Only its tables have a header.
            servers.set_implicit(true);
            self.document.insert(FIELD, Item::Table(servers));
        }
        if let Some(servers) = self.servers() {
            servers.insert(name, item);
        }
    }
}

impl Document for Toml {
    fn raw(&self, name: &str) -> Option<String> {
        let item = self.document.get(FIELD)?.as_table_like()?.get(name)?.clone();
        let mut alone = Self { document: DocumentMut::new(), has_mark: false };
        alone.put(name, item);
        Some(alone.document.to_string())
    }

    fn remove(&mut self, name: &str) {
        if let Some(servers) = self.servers() {
            servers.remove(name);
        }
    }

    fn insert(&mut self, name: &str, entry: &Json) {
        let mut table = Table::new();
        for (field, value) in entry.as_object().into_iter().flatten() {
            if let Some(value) = written(value) {
                table.insert(field, Item::Value(value));
            }
        }
        if !self.document.is_empty() {
            table.decor_mut().set_prefix("\n");
        }
        self.put(name, Item::Table(table));
    }

    fn insert_raw(&mut self, name: &str, raw: &str) {
        // It was written by `raw`.
        let Ok(mut alone) = Self::parse(raw) else { return };
        if let Some(mut item) = alone.servers().and_then(|servers| servers.remove(name)) {
            if let Some(table) = item.as_table_mut() {
                table.set_position(None);
            }
            self.put(name, item);
        }
    }

    fn prune(&mut self) {
        if self.servers().is_some_and(|servers| servers.is_empty()) {
            self.document.remove(FIELD);
        }
    }

    fn text(&self) -> String {
        let mark = if self.has_mark { BYTE_ORDER_MARK.to_string() } else { String::new() };
        mark + &self.document.to_string()
    }
}

/// TOML has no null.
fn written(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64()?),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().filter_map(written).collect::<Array>()),
        Json::Object(entries) => {
            let mut table = InlineTable::new();
            for (name, value) in entries {
                if let Some(value) = written(value) {
                    table.insert(name, value);
                }
            }
            Value::InlineTable(table)
        }
    })
}
