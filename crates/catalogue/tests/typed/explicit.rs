//! A schema as a declaration reads it: one that speaks of properties or items, and of no type, is of that type.

use serde_json::{Map, Value};

const OBJECT: [&str; 6] = [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];
const ARRAY: [&str; 4] = ["items", "prefixItems", "additionalItems", "unevaluatedItems"];
const ONE: [&str; 11] = [
    "not",
    "if",
    "then",
    "else",
    "contains",
    "additionalProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const LISTS: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
const MAPS: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Adds the types that go without saying.
pub(crate) fn explicit(schema: &Value) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (key, value) in map {
        let is_in = |keys: &[&str]| keys.contains(&key.as_str());
        let value = match value {
            Value::Array(items) if is_in(&LISTS) => Value::Array(items.iter().map(explicit).collect()),
            Value::Object(members) if is_in(&MAPS) => {
                Value::Object(members.iter().map(|(name, schema)| (name.clone(), explicit(schema))).collect())
            }
            value if is_in(&ONE) => explicit(value),
            value => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    let says = |keys: &[&str]| keys.iter().any(|key| map.contains_key(*key));
    match (says(&OBJECT), says(&ARRAY), says(&["type", "enum", "const"])) {
        (true, false, false) => out.insert("type".to_owned(), "object".into()),
        (false, true, false) => out.insert("type".to_owned(), "array".into()),
        _ => None,
    };
    Value::Object(out)
}
