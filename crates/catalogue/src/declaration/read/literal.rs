//! `enum` and `const`.

use serde_json::{Map, Value};

use super::super::node::{Literal, Node, Object, Primitive, Property, Rest, Tuple, Type};
use super::super::text::quoted;

/// Values of an `enum` that are read; for the rest stands the type they are of.
const MAX_VALUES: usize = 500;
/// The longest string that is a type of its own, in bytes.
const MAX_STRING_BYTES: usize = 512;
/// Values within a value that are read.
const MAX_INNER: usize = 50;
/// How deep a value is read.
const MAX_DEPTH: usize = 8;

/// Reads the values that a schema lists, of those kinds alone when it names kinds.
pub(super) fn literals(map: &Map<String, Value>, kinds: Option<&[&str]>) -> Option<Node> {
    let values: Vec<&Value> = match (map.get("const"), map.get("enum").and_then(Value::as_array)) {
        (Some(one), _) => vec![one],
        (None, Some(values)) if !values.is_empty() => values.iter().collect(),
        _ => return None,
    };
    let fits = |value: &&&Value| {
        let is_of = |kind: &&str| is_of(value, kind);
        kinds.is_none_or(|kinds| kinds.iter().any(is_of))
    };
    let mut members: Vec<Node> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for (at, value) in values.iter().filter(fits).enumerate() {
        let node = if at < MAX_VALUES { literal(value, 0) } else { wide(value) };
        // A union compares its members with each other: none twice among the plain ones.
        let is_new = match &node.ty {
            Type::Literal(literal) => known.insert(literal.text.clone()),
            ty if at >= MAX_VALUES => !members.iter().any(|known| known.ty == *ty),
            _ => true,
        };
        if is_new {
            members.push(node);
        }
    }
    Some(Node::union(members))
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" | "integer" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn literal(value: &Value, depth: usize) -> Node {
    Node::of(match value {
        Value::Null => Type::Null,
        Value::Bool(is) => Type::Literal(Literal { kind: Primitive::Boolean, text: is.to_string() }),
        Value::Number(number) => Type::Literal(Literal { kind: Primitive::Number, text: number.to_string() }),
        Value::String(text) if text.len() <= MAX_STRING_BYTES => {
            Type::Literal(Literal { kind: Primitive::String, text: quoted(text) })
        }
        Value::Array(items) if items.len() <= MAX_INNER && depth < MAX_DEPTH => {
            let items: Vec<Node> = items.iter().map(|item| literal(item, depth + 1)).collect();
            Type::Tuple(Tuple { required: items.len(), items, rest: None })
        }
        Value::Object(map) if map.len() <= MAX_INNER && depth < MAX_DEPTH => {
            let properties = map.iter().map(|(name, value)| Property {
                name: name.clone(),
                optional: false,
                node: literal(value, depth + 1),
            });
            Type::Object(Object { properties: properties.collect(), rest: Rest::Nothing })
        }
        other => return wide(other),
    })
}

fn wide(value: &Value) -> Node {
    Node::of(match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::Array(_) => Type::Array(Box::default()),
        Value::Object(_) => Type::Object(Object::default()),
    })
}
