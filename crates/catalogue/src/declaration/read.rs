//! From a schema to a tree of types.
//!
//! What TypeScript cannot say is left wider, never narrower: a value that the schema allows fits the type (the
//! approximations are listed in docs/declarations.md). The work is bounded: every place of the document is read once
//! at most, and only so many of them.

mod array;
mod literal;
mod object;

use std::collections::HashMap;
use std::ptr;

use serde_json::{Map, Value};

use super::doc::Doc;
use super::document::{Document, Scope};
use super::node::{Node, Type};

/// Places of a schema that are read; what lies beyond is anything.
const MAX_PLACES: usize = 10_000;
/// How deep one definition is read.
const MAX_DEPTH: usize = 48;
/// Members of `anyOf` and its kin that are read.
const MAX_MEMBERS: usize = 200;

/// On which side of a call a schema stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

/// A definition: the schema itself, or a place that it refers to.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// What it is called in the schema.
    pub(super) called: String,
    pub(super) node: Node,
}

/// Reads a schema. The first part is the schema itself.
pub(super) fn read(schema: &Value, side: Side) -> Vec<Part> {
    let mut reader = Reader {
        document: Document::new(schema),
        side,
        parts: Vec::new(),
        by_place: HashMap::new(),
        waiting: Vec::new(),
        places_left: MAX_PLACES,
    };
    let name = match side {
        Side::Input => "Input",
        Side::Output => "Output",
    };
    reader.part(schema, reader.document.root(), name);
    // Definitions are read one after the other, never within each other: a chain of them costs no stack.
    while let Some((number, schema, scope)) = reader.waiting.pop() {
        let node = reader.schema(schema, At { scope, depth: 0 }, "");
        if let Some(part) = reader.parts.get_mut(number) {
            part.node = node;
        }
    }
    reader.parts
}

struct Reader<'a> {
    document: Document<'a>,
    side: Side,
    parts: Vec<Part>,
    /// Definitions by address, which tells places apart and orders nothing.
    by_place: HashMap<*const Value, usize>,
    waiting: Vec<(usize, &'a Value, Scope<'a>)>,
    places_left: usize,
}

/// Where in the document reading is.
#[derive(Clone, Copy)]
struct At<'a> {
    scope: Scope<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn part(&mut self, schema: &'a Value, scope: Scope<'a>, called: &str) -> usize {
        let number = self.parts.len();
        match self.by_place.entry(ptr::from_ref(schema)) {
            std::collections::hash_map::Entry::Occupied(known) => return *known.get(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(number),
        };
        self.parts.push(Part { called: called.chars().take(200).collect(), node: Node::default() });
        self.waiting.push((number, schema, scope));
        number
    }

    /// Reads one schema. `called` is the name of the property that it is for.
    fn schema(&mut self, schema: &'a Value, at: At<'a>, called: &str) -> Node {
        let map = match schema {
            Value::Bool(false) => return Node::of(Type::Nothing),
            Value::Object(map) => map,
            _ => return Node::default(),
        };
        if self.places_left == 0 || at.depth > MAX_DEPTH {
            let mut node = Node::default();
            node.doc.note("(The schema goes on.)".to_owned());
            return node;
        }
        self.places_left -= 1;
        let at = At { scope: Document::scope_within(schema, at.scope), depth: at.depth + 1 };
        let mut node = Node { ty: Type::Anything, doc: Doc::read(map, called) };
        node = node.meet(self.own(map, at));
        node = self.references(map, at, node);
        for member in list(map, "allOf") {
            let member = self.schema(member, at, called);
            node = node.meet(member);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(members) =
                map.get(key).and_then(Value::as_array).filter(|members| !members.is_empty())
            {
                let union = self.union(members, at, called);
                node = node.meet(union);
            }
        }
        if let (true, Some(then), Some(other)) = (map.contains_key("if"), map.get("then"), map.get("else")) {
            let either = vec![self.schema(then, at, called), self.schema(other, at, called)];
            node = node.meet(Node::union(either));
        }
        if matches!(map.get("not"), Some(Value::Bool(true))) {
            node.ty = Type::Nothing;
        }
        if map.get("nullable") == Some(&Value::Bool(true)) {
            let Node { ty, doc } = node;
            node = Node::union(vec![Node::of(ty), Node::of(Type::Null)]);
            node.doc = doc.and(node.doc);
        }
        node
    }

    /// Reads what the schema's own keywords say: its type, constants and what belongs to a type.
    fn own(&mut self, map: &'a Map<String, Value>, at: At<'a>) -> Node {
        let kinds = kinds(map);
        if let Some(literals) = literal::literals(map, kinds.as_deref()) {
            return literals;
        }
        let Some(kinds) = kinds else { return Node::default() };
        Node::union(kinds.into_iter().map(|kind| self.kind(kind, map, at)).collect())
    }

    fn kind(&mut self, kind: &str, map: &'a Map<String, Value>, at: At<'a>) -> Node {
        match kind {
            "null" => Node::of(Type::Null),
            "boolean" => Node::of(Type::Boolean),
            "number" | "integer" => Node::of(Type::Number),
            "string" => Node::of(Type::String),
            "array" => self.array(map, at),
            "object" => self.object(map, at),
            _ => Node::default(),
        }
    }

    fn references(&mut self, map: &'a Map<String, Value>, at: At<'a>, mut node: Node) -> Node {
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = map.get(key).and_then(Value::as_str) else { continue };
            if key != "$ref" && self.document.is_ambiguous(reference) {
                continue;
            }
            let found = self.document.resolve(reference, at.scope);
            let Some((target, scope)) = found else {
                let shown: String = reference.chars().take(80).collect();
                node.doc.note(format!("(The schema refers to {shown}, which it does not hold.)"));
                continue;
            };
            let last = reference.rsplit(['/', '#', ':']).find(|piece| !piece.is_empty());
            let number = self.part(target, scope, last.unwrap_or("Schema"));
            node = node.meet(Node::of(Type::Part(number)));
        }
        node
    }

    fn union(&mut self, members: &'a [Value], at: At<'a>, called: &str) -> Node {
        let mut read: Vec<Node> = Vec::new();
        for member in members.iter().take(MAX_MEMBERS) {
            read.push(self.schema(member, at, called));
        }
        if members.len() > MAX_MEMBERS {
            read.push(Node::default());
        }
        Node::union(read)
    }
}

fn list<'a>(map: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    map.get(key).and_then(Value::as_array).into_iter().flatten().take(MAX_MEMBERS)
}

const OBJECT_KEYWORDS: [&str; 6] = [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
];
const ARRAY_KEYWORDS: [&str; 4] = ["items", "prefixItems", "additionalItems", "unevaluatedItems"];

/// Returns the types that a schema names; without any, the one that its keywords are about.
fn kinds(map: &Map<String, Value>) -> Option<Vec<&str>> {
    match map.get("type") {
        Some(Value::String(kind)) => Some(vec![kind]),
        Some(Value::Array(kinds)) => Some(kinds.iter().take(16).filter_map(Value::as_str).collect()),
        _ => {
            let object = OBJECT_KEYWORDS.iter().any(|key| map.contains_key(*key));
            let array = ARRAY_KEYWORDS.iter().any(|key| map.contains_key(*key));
            match (object, array) {
                (true, false) => Some(vec!["object"]),
                (false, true) => Some(vec!["array"]),
                _ => None,
            }
        }
    }
}
