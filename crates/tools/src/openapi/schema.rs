//! From the schemas of an OpenAPI document to one that stands for itself, in the dialect of JSON Schema 2020-12.
//!
//! What a schema refers to goes into its `$defs`, what is nearest first, until the budget is spent; what is beyond it
//! accepts everything. OpenAPI 3.0 has a dialect of its own (`nullable`, a boolean `exclusiveMinimum`, `$ref` without
//! siblings: <https://spec.openapis.org/oas/v3.0.4#schema-object>); 3.1 is 2020-12 already, with a few words more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::document::Document;

/// How deep a schema is followed.
const MAX_DEPTH: usize = 64;

/// Which way a value goes: what is `readOnly` is never sent, what is `writeOnly` never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Received,
}

/// A translation under way.
pub(super) struct Translation<'a> {
    document: &'a Document,
    way: Way,
    names: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    queue: VecDeque<String>,
}

impl<'a> Translation<'a> {
    pub(super) fn new(document: &'a Document, way: Way) -> Self {
        Self { document, way, names: BTreeMap::new(), taken: BTreeSet::new(), queue: VecDeque::new() }
    }

    /// Translates a schema. What it refers to comes with [`finish`](Self::finish).
    pub(super) fn schema(&mut self, schema: &Value) -> Value {
        self.at(schema, MAX_DEPTH)
    }

    /// Adds to `root`, which is what was translated, all that it refers to, within `max_bytes` or so.
    pub(super) fn finish(mut self, mut root: Value, max_bytes: usize) -> Value {
        let mut bytes = root.to_string().len();
        let mut definitions = Map::new();
        while let Some(pointer) = self.queue.pop_front() {
            let name = self.names.get(&pointer).cloned().unwrap_or_default();
            let mut definition = Value::Bool(true);
            if bytes < max_bytes
                && let Some(target) = self.document.resolve(&pointer)
            {
                let waiting = self.queue.len();
                let translated = self.schema(target);
                let size = translated.to_string().len();
                if bytes + size <= max_bytes {
                    bytes += size;
                    definition = translated;
                } else {
                    // What only this one refers to is not needed, then.
                    for dropped in self.queue.split_off(waiting) {
                        if let Some(name) = self.names.remove(&dropped) {
                            self.taken.remove(&name);
                        }
                    }
                }
            }
            definitions.insert(name, definition);
        }
        match &mut root {
            Value::Object(root) if !definitions.is_empty() => {
                root.insert("$defs".to_owned(), Value::Object(definitions));
            }
            _ => {}
        }
        root
    }

    fn at(&mut self, schema: &Value, left: usize) -> Value {
        let Value::Object(schema) = schema else {
            return Value::Bool(schema != &Value::Bool(false));
        };
        let Some(left) = left.checked_sub(1) else { return Value::Bool(true) };
        let mut out = Map::new();
        if let Some(Value::String(reference)) = schema.get("$ref") {
            match self.reference(reference) {
                Some(name) => out.insert("$ref".to_owned(), Value::String(format!("#/$defs/{name}"))),
                None => return Value::Bool(true),
            };
            if self.document.is_3_0() {
                return Value::Object(out);
            }
        }
        let mut hidden = BTreeSet::new();
        for (keyword, value) in schema {
            let translated = match keyword.as_str() {
                "properties" => self.properties(value, left, &mut hidden),
                "patternProperties" | "dependentSchemas" => self.each(value, left),
                "items"
                | "additionalProperties"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "propertyNames"
                | "unevaluatedProperties"
                | "unevaluatedItems" => Some(self.at(value, left)),
                "allOf" | "anyOf" | "oneOf" | "prefixItems" => match value {
                    Value::Array(members) if !members.is_empty() => {
                        Some(members.iter().map(|member| self.at(member, left)).collect())
                    }
                    _ => None,
                },
                "exclusiveMinimum" | "exclusiveMaximum" | "minimum" | "maximum" | "multipleOf" => {
                    Some(value.clone()).filter(Value::is_number)
                }
                "title" | "description" | "type" | "enum" | "const" | "default" | "format" | "pattern"
                | "minLength" | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties"
                | "maxProperties" | "minContains" | "maxContains" | "dependentRequired" | "deprecated"
                | "contentEncoding" | "contentMediaType" => Some(value.clone()),
                _ => None,
            };
            if let Some(translated) = translated {
                out.insert(keyword.clone(), translated);
            }
        }
        if let Some(Value::Array(required)) = schema.get("required") {
            let kept: Vec<Value> = required
                .iter()
                .filter(|name| name.as_str().is_some_and(|name| !hidden.contains(name)))
                .cloned()
                .collect();
            if !kept.is_empty() {
                out.insert("required".to_owned(), Value::Array(kept));
            }
        }
        if self.document.is_3_0() { modernised(schema, out) } else { Value::Object(out) }
    }

    fn properties<'s>(
        &mut self,
        properties: &'s Value,
        left: usize,
        hidden: &mut BTreeSet<&'s str>,
    ) -> Option<Value> {
        let unseen = match self.way {
            Way::Sent => "readOnly",
            Way::Received => "writeOnly",
        };
        let mut out = Map::new();
        for (name, schema) in properties.as_object()? {
            if schema.get(unseen) == Some(&Value::Bool(true)) {
                hidden.insert(name);
            } else {
                out.insert(name.clone(), self.at(schema, left));
            }
        }
        Some(Value::Object(out))
    }

    fn each(&mut self, schemas: &Value, left: usize) -> Option<Value> {
        let schemas = schemas.as_object()?;
        Some(schemas.iter().map(|(name, schema)| (name.clone(), self.at(schema, left))).collect())
    }

    /// Returns the name under which what is referred to will be in `$defs`; `None` when it is not in the document.
    fn reference(&mut self, reference: &str) -> Option<String> {
        let pointer = self.document.pointer(reference)?;
        if let Some(name) = self.names.get(&pointer) {
            return Some(name.clone());
        }
        self.document.resolve(&pointer)?;
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let plain: String = last
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
            .take(80)
            .collect();
        let mut name = plain.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{plain}_{number}");
            number += 1;
        }
        self.names.insert(pointer.clone(), name.clone());
        self.queue.push_back(pointer);
        Some(name)
    }
}

/// Says in 2020-12 what OpenAPI 3.0 says in words of its own.
fn modernised(schema: &Map<String, Value>, mut out: Map<String, Value>) -> Value {
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if schema.get(exclusive) == Some(&Value::Bool(true))
            && let Some(value) = out.shift_remove(bound)
        {
            out.insert(exclusive.to_owned(), value);
        }
    }
    if schema.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(out);
    }
    if let Some(Value::Array(values)) = out.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match out.get("type") {
        Some(Value::String(kind)) => {
            out.insert("type".to_owned(), json!([kind, "null"]));
            Value::Object(out)
        }
        _ => json!({ "anyOf": [out, { "type": "null" }] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "tests write their values in place")]
    fn document(version: &str, schemas: Value) -> Document {
        Document::new(json!({ "openapi": version, "components": { "schemas": schemas } })).unwrap()
    }

    fn translated(document: &Document, way: Way, schema: &Value, max_bytes: usize) -> Value {
        let mut translation = Translation::new(document, way);
        let root = translation.schema(schema);
        translation.finish(root, max_bytes)
    }

    #[test]
    fn the_dialect_of_3_0_becomes_that_of_today() {
        let document = document("3.0.3", json!({ "A": { "type": "object" } }));
        for (old, new) in [
            (
                json!({ "type": "string", "nullable": true, "example": "x" }),
                json!({ "type": ["string", "null"] }),
            ),
            (
                json!({ "type": "string", "nullable": true, "enum": ["a"] }),
                json!({ "type": ["string", "null"], "enum": ["a", null] }),
            ),
            (
                json!({ "nullable": true, "allOf": [{ "$ref": "#/components/schemas/A", "description": "lost" }] }),
                json!({ "anyOf": [{ "allOf": [{ "$ref": "#/$defs/A" }] }, { "type": "null" }],
                        "$defs": { "A": { "type": "object" } } }),
            ),
            (
                json!({ "type": "number", "minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false }),
                json!({ "type": "number", "exclusiveMinimum": 1, "maximum": 9 }),
            ),
            (
                json!({ "type": "string", "required": true, "xml": {}, "x-go": 1 }),
                json!({ "type": "string" }),
            ),
        ] {
            assert_eq!(translated(&document, Way::Sent, &old, 1000), new);
        }
    }

    #[test]
    fn what_never_goes_this_way_is_left_out() {
        let document = document("3.1.0", json!({}));
        let schema = json!({ "required": ["id", "password"], "properties": {
            "id": { "readOnly": true }, "password": { "writeOnly": true } } });
        assert_eq!(
            translated(&document, Way::Sent, &schema, 1000),
            json!({ "properties": { "password": {} }, "required": ["password"] })
        );
        assert_eq!(
            translated(&document, Way::Received, &schema, 1000),
            json!({ "properties": { "id": {} }, "required": ["id"] })
        );
    }

    #[test]
    fn recursion_ends_and_what_is_far_accepts_everything() {
        let tree = json!({ "Tree": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
                           "Wide": { "description": "w".repeat(500), "items": { "$ref": "#/components/schemas/Far" } },
                           "Far": { "type": "string" } });
        let document = document("3.1.0", tree);
        assert_eq!(
            translated(&document, Way::Sent, &json!({ "$ref": "#/components/schemas/Tree" }), 1000),
            json!({ "$ref": "#/$defs/Tree", "$defs": { "Tree": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } } })
        );
        assert_eq!(
            translated(&document, Way::Sent, &json!({ "$ref": "#/components/schemas/Wide" }), 300),
            json!({ "$ref": "#/$defs/Wide", "$defs": { "Wide": true } })
        );
        for missing in ["#/components/schemas/None", "other.yaml#/A", "http://h/x", "#anchor"] {
            assert_eq!(translated(&document, Way::Sent, &json!({ "$ref": missing }), 300), json!(true));
        }
        let deep = (0..500).fold(json!({}), |inner, _| json!({ "items": inner }));
        assert!(translated(&document, Way::Sent, &deep, 1 << 20).to_string().len() < 1000);
    }
}
