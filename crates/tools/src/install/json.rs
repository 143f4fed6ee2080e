//! JSON with comments: what Claude Code, Claude Desktop, Cursor and VS Code keep.

use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;

use super::BYTE_ORDER_MARK;
use super::document::{Document, Invalid, lenient};

/// A text of JSON, and the field that holds its servers.
pub(super) struct Json {
    root: CstRootNode,
    field: &'static str,
    has_mark: bool,
}

impl Json {
    pub(super) fn parse(text: &str, field: &'static str) -> Result<Self, Invalid> {
        let bare = text.strip_prefix(BYTE_ORDER_MARK);
        let has_mark = bare.is_some();
        let bare = bare.unwrap_or(text);
        let bare = if bare.trim().is_empty() { "{}\n" } else { bare };
        let root = CstRootNode::parse(bare, &lenient()).map_err(|error| Invalid {
            line: error.line_display(),
            column: error.column_display(),
            why: error.kind().to_string(),
        })?;
        Ok(Self { root, field, has_mark })
    }

    fn servers(&self) -> Option<CstObject> {
        self.root.object_value()?.object_value(self.field)
    }

    fn servers_or_new(&self) -> CstObject {
        self.root.object_value_or_set().object_value_or_set(self.field)
    }
}

impl Document for Json {
    fn raw(&self, name: &str) -> Option<String> {
        Some(self.servers()?.get(name)?.value()?.to_string())
    }

    fn remove(&mut self, name: &str) {
        if let Some(property) = self.servers().and_then(|servers| servers.get(name)) {
            property.remove();
        }
    }

    fn insert(&mut self, name: &str, entry: &Value) {
        self.servers_or_new().append(name, input(entry));
    }

    fn insert_raw(&mut self, name: &str, raw: &str) {
        let property = self.servers_or_new().append(name, CstInputValue::String(String::new()));
        if let Some(literal) = property.value().and_then(|value: CstNode| value.as_string_lit()) {
            literal.set_raw_value(raw.to_owned());
        }
    }

    fn prune(&mut self) {
        let Some(property) = self.root.object_value().and_then(|root| root.get(self.field)) else { return };
        if property.object_value().is_some_and(|servers| servers.properties().is_empty()) {
            property.remove();
        }
    }

    fn text(&self) -> String {
        let mark = if self.has_mark { BYTE_ORDER_MARK.to_string() } else { String::new() };
        mark + &self.root.to_string()
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(entries) => {
            CstInputValue::Object(entries.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}
