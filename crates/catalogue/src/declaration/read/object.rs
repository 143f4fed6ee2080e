//! Objects: properties, and what else an object may hold.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::node::{Node, Object, Property, Rest, Type};
use super::super::read::Side;
use super::{At, Reader};

/// Properties that are read; the required ones first when there are more.
const MAX_PROPERTIES: usize = 500;
/// The longest name of a property, in bytes; one that is longer is left out.
const MAX_NAME_BYTES: usize = 256;
/// Patterns of names that are read.
const MAX_PATTERNS: usize = 20;

impl<'a> Reader<'a> {
    pub(super) fn object(&mut self, map: &'a Map<String, Value>, at: At<'a>) -> Node {
        let required: HashSet<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let declared = map.get("properties").and_then(Value::as_object);
        let mut left_out = false;
        let mut object = Object::default();
        if let Some(declared) = declared {
            let crowded = declared.len() > MAX_PROPERTIES;
            let chosen = declared.iter().filter(|(name, _)| !crowded || required.contains(name.as_str()));
            for (name, schema) in chosen {
                if name.len() > MAX_NAME_BYTES || object.properties.len() >= MAX_PROPERTIES {
                    left_out = true;
                    continue;
                }
                let mut node = self.schema(schema, at, name);
                self.note_needed(map, name, &mut node);
                object.properties.push(Property {
                    name: name.clone(),
                    optional: !required.contains(name.as_str()),
                    node,
                });
            }
            left_out |= crowded;
        }
        let (rest, pattern) = self.rest(map, at);
        let undeclared = |name: &&str| declared.is_none_or(|declared| !declared.contains_key(*name));
        // In the order of the schema: a set has none.
        let named =
            map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut seen = HashSet::new();
        for name in named.filter(undeclared).filter(|name| seen.insert(*name)) {
            if name.len() > MAX_NAME_BYTES || object.properties.len() >= MAX_PROPERTIES {
                left_out = true;
                break;
            }
            let node = match &rest {
                Rest::Each(each) => (**each).clone(),
                Rest::Unsaid | Rest::Nothing => Node::default(),
            };
            object.properties.push(Property { name: name.to_owned(), optional: false, node });
        }
        object.rest = if left_out { Rest::Each(Box::default()) } else { rest };
        self.named_properties(map, &mut object);
        let nothing = object.properties.is_empty() && declared.is_some() && object.rest == Rest::Unsaid;
        if nothing && self.side == Side::Input {
            object.rest = Rest::Nothing;
        }
        let mut node = Node::of(Type::Object(object));
        if left_out {
            node.doc.note("(There are more properties.)".to_owned());
        }
        if let Some(pattern) = pattern {
            node.doc.note(format!("@keys {pattern}"));
        }
        node
    }

    /// Reads what properties beside the declared ones are, and which names they have.
    fn rest(&mut self, map: &'a Map<String, Value>, at: At<'a>) -> (Rest, Option<String>) {
        let patterns: Vec<(&String, &Value)> = map
            .get("patternProperties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .take(MAX_PATTERNS)
            .collect();
        let additional = map.get("additionalProperties").or_else(|| {
            // `false` there closes what `allOf` and the like leave open; each of them is closed here anyway.
            map.get("unevaluatedProperties").filter(|rest| !rest.is_boolean())
        });
        let others = match additional {
            None => Rest::Unsaid,
            Some(Value::Bool(false)) => Rest::Nothing,
            Some(schema) => Rest::Each(Box::new(self.schema(schema, at, ""))),
        };
        let names = map.get("propertyNames").and_then(|names| names.get("pattern")).and_then(Value::as_str);
        if patterns.is_empty() {
            return (others, names.map(str::to_owned));
        }
        let mut each = Vec::new();
        for (_, schema) in &patterns {
            each.push(self.schema(schema, at, ""));
        }
        match others {
            Rest::Unsaid => each.push(Node::default()),
            Rest::Nothing => {}
            Rest::Each(node) => each.push(*node),
        }
        let shown: Vec<&str> = patterns.iter().map(|(pattern, _)| pattern.as_str()).chain(names).collect();
        (Rest::Each(Box::new(Node::union(each))), Some(shown.join(" ")))
    }

    /// `propertyNames` that lists the names makes properties of them.
    fn named_properties(&self, map: &Map<String, Value>, object: &mut Object) {
        let names = map.get("propertyNames").and_then(|names| names.get("enum")).and_then(Value::as_array);
        let Some(names) = names.filter(|names| names.len() <= MAX_PROPERTIES) else { return };
        let each = match &object.rest {
            Rest::Each(each) => (**each).clone(),
            Rest::Unsaid => Node::default(),
            Rest::Nothing => return,
        };
        // The type of the others is repeated for each name: only where it is short.
        if names.len() * weight(&each.ty) > MAX_PROPERTIES {
            return;
        }
        for name in names.iter().filter_map(Value::as_str).filter(|name| name.len() <= MAX_NAME_BYTES) {
            if object.property_mut(name).is_none() {
                object.properties.push(Property {
                    name: name.to_owned(),
                    optional: true,
                    node: each.clone(),
                });
            }
        }
        object.rest = Rest::Nothing;
    }

    /// Notes what must be given together with a property.
    fn note_needed(&self, map: &Map<String, Value>, name: &str, node: &mut Node) {
        for key in ["dependentRequired", "dependencies"] {
            let Some(needed) = map.get(key).and_then(|all| all.get(name)).and_then(Value::as_array) else {
                continue;
            };
            let names: Vec<&str> = needed.iter().take(20).filter_map(Value::as_str).collect();
            if !names.is_empty() {
                node.doc.note(format!("@needs {}", names.join(", ")));
            }
        }
    }
}

/// Counts the types within a type.
fn weight(ty: &Type) -> usize {
    match ty {
        Type::Array(each) => 1 + weight(&each.ty),
        Type::Tuple(tuple) => 1 + tuple.items.iter().map(|node| weight(&node.ty)).sum::<usize>(),
        Type::Object(object) => {
            1 + object.properties.iter().map(|property| weight(&property.node.ty)).sum::<usize>()
        }
        Type::Union(members) | Type::Both(members) => members.iter().map(|node| weight(&node.ty)).sum(),
        _ => 1,
    }
}
