//! Two types at once, as `allOf` has it: merged where that reads better, `A & B` where it does not.
//!
//! Where the exact answer cannot be written, the result is the wider one: a value that fits both always fits it.

use super::node::{Node, Object, Property, Rest, Type};

/// Pairs of union members that are tried one by one.
const MAX_PAIRS: usize = 32;

impl Node {
    /// Returns what fits both.
    pub(super) fn meet(self, other: Self) -> Self {
        let doc = self.doc.and(other.doc);
        let met = meet(self.ty, other.ty);
        Self { ty: met.ty, doc: doc.and(met.doc) }
    }
}

fn meet(a: Type, b: Type) -> Node {
    let ty = match (a, b) {
        (Type::Anything | Type::Given, other) | (other, Type::Anything | Type::Given) => other,
        (Type::Nothing, _) | (_, Type::Nothing) => Type::Nothing,
        (Type::Object(a), Type::Object(b)) => Type::Object(merge(a, b)),
        (Type::Union(a), Type::Union(b)) => return meet_unions(a, b),
        (Type::Union(members), other) => return meet_union(members, other, false),
        (other, Type::Union(members)) => return meet_union(members, other, true),
        (a @ (Type::Part(_) | Type::Both(_)), b) | (a, b @ (Type::Part(_) | Type::Both(_))) => both(a, b),
        (Type::Literal(a), Type::Literal(b)) => {
            if a == b {
                Type::Literal(a)
            } else {
                Type::Nothing
            }
        }
        (Type::Literal(one), of) | (of, Type::Literal(one)) => {
            if Type::from(one.kind) == of {
                Type::Literal(one)
            } else {
                Type::Nothing
            }
        }
        (Type::Array(a), Type::Array(b)) => Type::Array(Box::new(a.meet(*b))),
        (tuple @ Type::Tuple(_), Type::Tuple(_) | Type::Array(_))
        | (Type::Array(_), tuple @ Type::Tuple(_)) => tuple,
        (a, b) if a == b => a,
        _ => Type::Nothing,
    };
    Node::of(ty)
}

fn both(a: Type, b: Type) -> Type {
    let mut all = Vec::new();
    for side in [a, b] {
        let members = match side {
            Type::Both(members) => members,
            other => vec![Node::of(other)],
        };
        for mut member in members {
            member.loosen();
            if all.iter().all(|known: &Node| known.ty != member.ty) {
                all.push(member);
            }
        }
    }
    let mut said = Vec::new();
    all.iter().for_each(|member| member.say(&mut said));
    all.iter_mut().for_each(|member| member.leave(&said));
    Type::Both(all)
}

impl Node {
    /// An index signature next to other types would be about their properties, too: it is opened.
    fn loosen(&mut self) {
        match &mut self.ty {
            Type::Object(object) => {
                if let Rest::Each(each) = &mut object.rest {
                    **each = Self::default();
                }
            }
            Type::Union(members) => members.iter_mut().for_each(Self::loosen),
            _ => {}
        }
    }

    /// Lists the properties whose type is said here.
    fn say(&self, said: &mut Vec<String>) {
        match &self.ty {
            Type::Object(object) => {
                let typed = object.properties.iter().filter(|property| property.node.ty != Type::Anything);
                said.extend(typed.map(|property| property.name.clone()));
            }
            Type::Union(members) => members.iter().for_each(|member| member.say(said)),
            _ => {}
        }
    }

    /// Leaves it to another member of the intersection to say what a property is.
    fn leave(&mut self, said: &[String]) {
        match &mut self.ty {
            Type::Object(object) => {
                let untyped =
                    object.properties.iter_mut().filter(|property| property.node.ty == Type::Anything);
                for property in untyped.filter(|property| said.contains(&property.name)) {
                    property.node.ty = Type::Given;
                }
            }
            Type::Union(members) => members.iter_mut().for_each(|member| member.leave(said)),
            _ => {}
        }
    }
}

fn meet_unions(a: Vec<Node>, b: Vec<Node>) -> Node {
    if a.len() * b.len() > MAX_PAIRS {
        return Node::of(both(Type::Union(a), Type::Union(b)));
    }
    Node::union(a.iter().flat_map(|a| b.iter().map(|b| a.clone().meet(b.clone()))).collect())
}

fn meet_union(members: Vec<Node>, other: Type, other_first: bool) -> Node {
    let is_objects = |node: &Node| matches!(node.ty, Type::Object(_) | Type::Part(_) | Type::Both(_));
    let large = matches!(&other, Type::Object(object) if !object.properties.is_empty())
        || matches!(other, Type::Both(_) | Type::Part(_));
    if large && members.iter().all(is_objects) {
        // What all members share is written once.
        let union = Type::Union(members);
        return Node::of(if other_first { both(other, union) } else { both(union, other) });
    }
    let met = members.into_iter().map(|member| {
        let other = Node::of(other.clone());
        if other_first { other.meet(member) } else { member.meet(other) }
    });
    Node::union(met.collect())
}

fn merge(mut a: Object, b: Object) -> Object {
    for property in b.properties {
        match a.properties.iter_mut().find(|known| known.name == property.name) {
            Some(known) => {
                known.optional &= property.optional;
                known.node = std::mem::take(&mut known.node).meet(property.node);
            }
            None => a.properties.push(property),
        }
    }
    a.rest = match (a.rest, b.rest) {
        (Rest::Unsaid, rest) | (rest, Rest::Unsaid) => rest,
        (Rest::Nothing, _) | (_, Rest::Nothing) => Rest::Nothing,
        (Rest::Each(a), Rest::Each(b)) => Rest::Each(Box::new(a.meet(*b))),
    };
    a
}

impl Object {
    /// Returns the property of a name.
    pub(super) fn property_mut(&mut self, name: &str) -> Option<&mut Property> {
        self.properties.iter_mut().find(|property| property.name == name)
    }
}
