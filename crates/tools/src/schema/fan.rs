//! What makes a schema expensive beyond its size: references that fan out. Twenty definitions that each try the
//! one before twice are a million checks of one value.
//!
//! Only ways that stay at one place of the input are followed: their number is the schema's alone to decide.
//! References in a circle are harmless, the validator sees to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compile::MAX_DEPTH;
use crate::bound::bounded;

/// Steps of following references before a schema counts as too expensive.
const MAX_STEPS: usize = 20_000;
/// The longest piece of a reference that is quoted, in bytes.
const MAX_REFERENCE_BYTES: usize = 120;
/// The keywords that refer.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// The keywords that give a part a name to refer to.
const ANCHORS: [&str; 2] = ["$anchor", "$dynamicAnchor"];

/// A walk over a schema's references.
pub(super) struct Fan<'a> {
    document: &'a Value,
    anchors: BTreeMap<&'a str, &'a Value>,
    steps_left: usize,
}

impl<'a> Fan<'a> {
    /// Says what is wrong with the schema as a whole.
    pub(super) fn check(document: &'a Value) -> Result<(), String> {
        let mut fan = Self { document, anchors: BTreeMap::new(), steps_left: MAX_STEPS };
        fan.note_anchors(document);
        // The document's own `$id` moves nothing; one further in would change where references lead.
        let parts: Box<dyn Iterator<Item = &Value>> = match document {
            Value::Object(map) => Box::new(map.values()),
            _ => Box::new(std::iter::empty()),
        };
        for part in parts {
            fan.scan(part)?;
        }
        fan.follow(document, &mut Vec::new(), 0)
    }

    /// Looks for references in every part of the document.
    fn scan(&mut self, part: &'a Value) -> Result<(), String> {
        match part {
            Value::Object(map) => {
                if map.get("$id").is_some_and(Value::is_string) {
                    return Err("the schema holds another schema with an `$id` of its own".to_owned());
                }
                if REFERENCES.iter().any(|key| map.contains_key(*key)) {
                    self.follow(part, &mut Vec::new(), 0)?;
                }
                map.values().try_for_each(|part| self.scan(part))
            }
            Value::Array(items) => items.iter().try_for_each(|part| self.scan(part)),
            _ => Ok(()),
        }
    }

    /// Walks every way that checking one value against `schema` may take.
    fn follow(&mut self, schema: &'a Value, trail: &mut Vec<&'a str>, depth: usize) -> Result<(), String> {
        let Value::Object(map) = schema else { return Ok(()) };
        self.steps_left = self.steps_left.checked_sub(1).ok_or("the schema's references fan out too far")?;
        if depth > MAX_DEPTH {
            return Err(format!("the schema's references lead deeper than {MAX_DEPTH}"));
        }
        for reference in REFERENCES.iter().filter_map(|key| map.get(*key)?.as_str()) {
            if trail.contains(&reference) {
                continue;
            }
            let target = self.resolve(reference).ok_or_else(|| {
                format!(
                    "the schema refers to `{}`, which it does not hold",
                    bounded(reference, MAX_REFERENCE_BYTES)
                )
            })?;
            trail.push(reference);
            self.follow(target, trail, depth + 1)?;
            trail.pop();
        }
        let lists =
            ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| map.get(key)?.as_array()).flatten();
        let single = ["not", "if", "then", "else"].into_iter().filter_map(|key| map.get(key));
        let dependent =
            ["dependentSchemas", "dependencies"].into_iter().filter_map(|key| map.get(key)?.as_object());
        lists
            .chain(single)
            .chain(dependent.flat_map(|map| map.values()))
            .try_for_each(|part| self.follow(part, trail, depth + 1))
    }

    /// Finds what a reference within the document refers to.
    fn resolve(&self, reference: &str) -> Option<&'a Value> {
        let fragment = reference.strip_prefix('#')?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self
                .document
                .pointer(fragment)
                .or_else(|| self.document.pointer(&percent_decoded(fragment)?));
        }
        self.anchors.get(fragment).copied()
    }

    fn note_anchors(&mut self, part: &'a Value) {
        match part {
            Value::Object(map) => {
                for name in ANCHORS.iter().filter_map(|key| map.get(*key)?.as_str()) {
                    self.anchors.insert(name, part);
                }
                map.values().for_each(|part| self.note_anchors(part));
            }
            Value::Array(items) => items.iter().for_each(|part| self.note_anchors(part)),
            _ => {}
        }
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digit =
                |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            digit(rest.next())? << 4 | digit(rest.next())?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}
