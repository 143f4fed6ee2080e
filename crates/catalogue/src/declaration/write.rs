//! From a tree of types to text.

use std::collections::BTreeMap;

use super::detail::Detail;
use super::doc::comment;
use super::node::{Node, Object, Primitive, Rest, Tuple, Type};
use super::read::{Part, Side};
use super::text::property_name;

/// The longest object on one line.
const LINE_WIDTH: usize = 80;
const STEP: &str = "  ";

/// Writes the types of one side of a tool.
pub(super) struct Writer<'a> {
    parts: &'a [Part],
    names: &'a BTreeMap<usize, String>,
    side: Side,
    detail: &'a Detail,
    /// Bytes that may still be written; none once it is clear that this takes too much.
    bytes_left: usize,
    /// Named types that were mentioned.
    mentioned: Vec<usize>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        parts: &'a [Part],
        names: &'a BTreeMap<usize, String>,
        side: Side,
        detail: &'a Detail,
        max_bytes: usize,
    ) -> Self {
        Self { parts, names, side, detail, bytes_left: max_bytes, mentioned: Vec::new() }
    }

    /// Tells whether all was written.
    pub(super) fn is_whole(&self) -> bool {
        self.bytes_left > 0
    }

    /// Writes the type of the schema itself.
    pub(super) fn root(&mut self, indent: &str) -> String {
        let Some(root) = self.parts.first() else { return self.anything() };
        match self.names.get(&0) {
            Some(_) => self.ty(&Node::of(Type::Part(0)), indent, 0),
            None => self.ty(&root.node, indent, 0),
        }
    }

    /// Writes the definitions of the types that were mentioned, in the order in which they were.
    pub(super) fn definitions(&mut self) -> Vec<(String, String)> {
        let mut written = Vec::new();
        let mut at = 0;
        while let Some(number) = self.mentioned.get(at).copied() {
            at += 1;
            let (Some(part), Some(name)) = (self.parts.get(number), self.names.get(&number)) else {
                continue;
            };
            let doc = comment(&part.node.doc.lines(self.detail), "");
            let text = format!("{doc}type {name} = {};\n", self.ty(&part.node, "", 0));
            self.spend(text.len() / 4);
            written.push((name.clone(), text));
        }
        written
    }

    fn anything(&self) -> String {
        match self.side {
            Side::Input => "unknown".to_owned(),
            // What comes back untyped is used as it is; `unknown` would have every use of it refused.
            Side::Output => "any".to_owned(),
        }
    }

    fn spend(&mut self, bytes: usize) {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
    }

    fn ty(&mut self, node: &Node, indent: &str, depth: usize) -> String {
        if self.bytes_left == 0 {
            return String::new();
        }
        let text = match &node.ty {
            Type::Anything => self.anything(),
            // `any` would undo what the other member says.
            Type::Given => "unknown".to_owned(),
            Type::Nothing => "never".to_owned(),
            Type::Null => "null".to_owned(),
            Type::Boolean => "boolean".to_owned(),
            Type::Number => "number".to_owned(),
            Type::String => "string".to_owned(),
            Type::Literal(literal) => literal.text.clone(),
            Type::Array(item) => format!("{}[]", self.grouped(item, indent, depth)),
            Type::Tuple(tuple) => return self.tuple(tuple, indent, depth),
            Type::Object(object) => return self.object(object, indent, depth),
            Type::Union(members) => return self.union(members, indent, depth),
            Type::Both(members) => {
                let members: Vec<String> =
                    members.iter().map(|member| self.grouped(member, indent, depth)).collect();
                members.join(" & ")
            }
            Type::Part(number) => self.mention(*number, depth),
        };
        self.spend(text.len());
        text
    }

    fn mention(&mut self, number: usize, depth: usize) -> String {
        match self.names.get(&number) {
            Some(name) if depth < self.detail.depth => {
                if !self.mentioned.contains(&number) {
                    self.mentioned.push(number);
                }
                name.clone()
            }
            _ => self.anything(),
        }
    }

    /// Writes a type so that more can follow it.
    fn grouped(&mut self, node: &Node, indent: &str, depth: usize) -> String {
        let text = self.ty(node, indent, depth);
        if matches!(node.ty, Type::Union(_) | Type::Both(_)) { format!("({text})") } else { text }
    }

    fn tuple(&mut self, tuple: &Tuple, indent: &str, depth: usize) -> String {
        let mut items: Vec<String> = Vec::new();
        for (at, item) in tuple.items.iter().enumerate() {
            let optional = at >= tuple.required;
            let text =
                if optional { self.grouped(item, indent, depth) } else { self.ty(item, indent, depth) };
            items.push(if optional { format!("{text}?") } else { text });
        }
        if let Some(rest) = &tuple.rest {
            items.push(format!("...{}[]", self.grouped(rest, indent, depth)));
        }
        format!("[{}]", items.join(", "))
    }

    fn union(&mut self, members: &[Node], indent: &str, depth: usize) -> String {
        let shown = members.len().min(self.detail.members);
        let inner = format!("{indent}{STEP}");
        let mut texts: Vec<String> = Vec::new();
        for member in members.iter().take(shown) {
            let text = match member.ty {
                Type::Both(_) => self.grouped(member, &inner, depth),
                _ => self.ty(member, &inner, depth),
            };
            let said = member.doc.lines(self.detail).join(" ");
            let text = if said.is_empty() { text } else { format!("/** {said} */ {text}") };
            self.spend(said.len());
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        // What the left-out members are of; all of them fit that.
        for member in members.iter().skip(shown) {
            let text = match &member.ty {
                Type::Null => "null",
                Type::Boolean => "boolean",
                Type::Number => "number",
                Type::String => "string",
                Type::Literal(literal) => match literal.kind {
                    Primitive::Boolean => "boolean",
                    Primitive::Number => "number",
                    Primitive::String => "string",
                },
                _ => &self.anything(),
            };
            if !texts.iter().any(|known| known == text) {
                texts.push(text.to_owned());
            }
        }
        if texts.iter().any(|text| text.contains('\n')) {
            texts.iter().map(|text| format!("\n{inner}| {text}")).collect()
        } else {
            texts.join(" | ")
        }
    }

    fn object(&mut self, object: &Object, indent: &str, depth: usize) -> String {
        if depth >= self.detail.depth {
            self.spend(6);
            return match self.side {
                Side::Input => "object".to_owned(),
                Side::Output => self.anything(),
            };
        }
        let inner = format!("{indent}{STEP}");
        let mut members: Vec<(String, String)> = Vec::new();
        let mut left_out = false;
        for property in &object.properties {
            if self.bytes_left == 0 {
                return String::new();
            }
            if property.optional && !self.detail.optional {
                left_out = true;
                continue;
            }
            let ty =
                if self.detail.types { self.ty(&property.node, &inner, depth + 1) } else { self.anything() };
            let mark = if property.optional { "?" } else { "" };
            let member = format!("{}{mark}: {ty}", property_name(&property.name));
            let doc = match &property.node.ty {
                Type::Array(item) => property.node.doc.clone().and_items(&item.doc),
                _ => property.node.doc.clone(),
            };
            let doc = comment(&doc.lines(self.detail), &inner);
            self.spend(member.len() - ty.len() + doc.len());
            members.push((doc, member));
        }
        let rest = if left_out { Some(self.anything()) } else { self.rest(object, &inner, depth) };
        if let Some(rest) = rest {
            members.push((String::new(), format!("[key: string]: {rest}")));
        }
        braced(&members, indent)
    }

    /// Writes what properties without a name of their own are; TypeScript wants that to include those with one.
    fn rest(&mut self, object: &Object, indent: &str, depth: usize) -> Option<String> {
        let each = match &object.rest {
            Rest::Each(each) => each,
            Rest::Unsaid if object.properties.is_empty() => return Some(self.anything()),
            Rest::Unsaid | Rest::Nothing => return None,
        };
        if !self.detail.types || each.ty == Type::Anything {
            return Some(self.anything());
        }
        if object.properties.is_empty() {
            return Some(self.ty(each, indent, depth + 1));
        }
        let mut texts = Vec::new();
        for node in std::iter::once(&**each).chain(object.properties.iter().map(|property| &property.node)) {
            if !node.is_plain() || texts.len() > 4 {
                return Some(self.anything());
            }
            let text = self.ty(node, indent, depth + 1);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        if object.properties.iter().any(|property| property.optional) {
            texts.push("undefined".to_owned());
        }
        Some(texts.join(" | "))
    }
}

impl Node {
    fn is_plain(&self) -> bool {
        match &self.ty {
            Type::Null | Type::Boolean | Type::Number | Type::String | Type::Literal(_) => true,
            Type::Union(members) => members.len() <= 4 && members.iter().all(Self::is_plain),
            Type::Array(item) => matches!(item.ty, Type::Boolean | Type::Number | Type::String),
            _ => false,
        }
    }
}

/// Puts braces around members, on one line where they have no comments and fit.
fn braced(members: &[(String, String)], indent: &str) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let width: usize = members.iter().map(|(_, member)| member.len() + 2).sum();
    if width <= LINE_WIDTH && members.iter().all(|(doc, member)| doc.is_empty() && !member.contains('\n')) {
        let members: Vec<&str> = members.iter().map(|(_, member)| member.as_str()).collect();
        return format!("{{ {} }}", members.join("; "));
    }
    let mut out = "{\n".to_owned();
    for (doc, member) in members {
        out.push_str(doc);
        out.push_str(indent);
        out.push_str(STEP);
        out.push_str(member);
        out.push_str(";\n");
    }
    out.push_str(indent);
    out.push('}');
    out
}
