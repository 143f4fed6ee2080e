//! Where the references of a schema lead. Nothing outside the document is ever looked at.

use std::collections::HashMap;
use std::ptr;

use serde_json::Value;

/// Values that are looked through for names; what lies beyond has none.
const MAX_VISITED: usize = 200_000;
/// Keywords whose values are data, not schemas.
const DATA: [&str; 5] = ["enum", "const", "default", "examples", "example"];

/// A place that references are relative to: the document, or a part of it that has an `$id`.
pub(super) type Scope<'a> = &'a Value;

pub(super) struct Document<'a> {
    root: &'a Value,
    ids: HashMap<&'a str, &'a Value>,
    /// By the scope's address, which tells scopes apart and orders nothing.
    anchors: HashMap<(*const Value, &'a str), &'a Value>,
    /// How many schemas each dynamic name stands for; `$recursiveAnchor` is one without a name.
    dynamic: HashMap<&'a str, usize>,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        let mut document =
            Self { root, ids: HashMap::new(), anchors: HashMap::new(), dynamic: HashMap::new() };
        let mut pending = vec![(root, root)];
        for _ in 0..MAX_VISITED {
            let Some((part, scope)) = pending.pop() else { break };
            match part {
                Value::Object(map) => {
                    let scope = document.note(part, scope);
                    let schemas = map.iter().filter(|(key, _)| !DATA.contains(&key.as_str()));
                    pending.extend(schemas.map(|(_, part)| (part, scope)));
                }
                Value::Array(items) => pending.extend(items.iter().map(|part| (part, scope))),
                _ => {}
            }
        }
        document
    }

    pub(super) fn root(&self) -> &'a Value {
        self.root
    }

    /// Notes the names of a schema; returns the scope within it.
    fn note(&mut self, part: &'a Value, scope: Scope<'a>) -> Scope<'a> {
        let mut inner = scope;
        let recursive = part.get("$recursiveAnchor").filter(|is| **is == Value::Bool(true)).map(|_| "");
        for name in part.get("$dynamicAnchor").and_then(Value::as_str).into_iter().chain(recursive) {
            *self.dynamic.entry(name).or_default() += 1;
        }
        let id = part.get("$id").and_then(Value::as_str);
        let mut names: Vec<&str> =
            ["$anchor", "$dynamicAnchor"].iter().filter_map(|key| part.get(*key)?.as_str()).collect();
        match id.map(|id| (id, id.strip_prefix('#'))) {
            Some((_, Some(anchor))) => names.push(anchor),
            Some((id, None)) => {
                self.ids.entry(id.trim_end_matches('#')).or_insert(part);
                inner = part;
            }
            None => {}
        }
        for name in names {
            self.anchors.entry((ptr::from_ref(inner), name)).or_insert(part);
        }
        inner
    }

    /// Returns the scope within a schema.
    pub(super) fn scope_within(part: &'a Value, scope: Scope<'a>) -> Scope<'a> {
        match part.get("$id").and_then(Value::as_str) {
            Some(id) if !id.starts_with('#') => part,
            _ => scope,
        }
    }

    /// Finds what a reference leads to, and the scope there.
    pub(super) fn resolve(&self, reference: &str, scope: Scope<'a>) -> Option<(&'a Value, Scope<'a>)> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = if base.is_empty() { scope } else { self.resource(base)? };
        if fragment.is_empty() {
            return Some((resource, resource));
        }
        if !fragment.starts_with('/') {
            return self.anchors.get(&(ptr::from_ref(resource), fragment)).map(|found| (*found, resource));
        }
        let find = |pointer: &str| resource.pointer(pointer).map(|found| (found, resource));
        // Some documents with an `$id` further in still refer from the top.
        let from_top = |pointer: &str| self.root.pointer(pointer).map(|found| (found, self.root));
        let decoded = percent_decoded(fragment);
        find(fragment)
            .or_else(|| find(decoded.as_deref()?))
            .or_else(|| from_top(fragment))
            .or_else(|| from_top(decoded.as_deref()?))
    }

    /// Tells whether a dynamic reference may lead to different schemas, by the way that leads to it.
    pub(super) fn is_ambiguous(&self, reference: &str) -> bool {
        let name = reference.split_once('#').map_or("", |(_, name)| name);
        self.dynamic.get(name).is_some_and(|count| *count > 1)
    }

    /// Finds a schema by its `$id`: as it is written, or by the last piece of its path.
    fn resource(&self, base: &str) -> Option<&'a Value> {
        if let Some(found) = self.ids.get(base) {
            return Some(found);
        }
        let last = |id: &str| id.rsplit(['/', ':']).next().map(str::to_owned);
        let mut alike = self.ids.iter().filter(|(id, _)| last(id) == last(base) && last(base).is_some());
        match (alike.next(), alike.next()) {
            (Some((_, found)), None) => Some(found),
            _ => None,
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
