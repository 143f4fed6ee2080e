//! A schema as TypeScript has it: the tree between reading and writing.
//!
//! Definitions that the schema refers to are parts, written once however often they are referred to; so a schema
//! whose references fan out costs what its text does.

use super::doc::Doc;

/// One type, with what is said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    pub(super) ty: Type,
    pub(super) doc: Doc,
}

/// A type as TypeScript has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Type {
    /// Whatever JSON can say, or what could not be read.
    #[default]
    Anything,
    /// Anything, where another member of an intersection says what.
    Given,
    Nothing,
    Null,
    Boolean,
    Number,
    String,
    Literal(Literal),
    Array(Box<Node>),
    Tuple(Tuple),
    Object(Object),
    Union(Vec<Node>),
    /// All of them at once.
    Both(Vec<Node>),
    /// The part of this number.
    Part(usize),
}

/// One value of a primitive type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Literal {
    pub(super) kind: Primitive,
    /// As TypeScript writes it.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Primitive {
    Boolean,
    Number,
    String,
}

impl From<Primitive> for Type {
    fn from(kind: Primitive) -> Self {
        match kind {
            Primitive::Boolean => Self::Boolean,
            Primitive::Number => Self::Number,
            Primitive::String => Self::String,
        }
    }
}

/// An array whose first items each have a type of their own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tuple {
    pub(super) items: Vec<Node>,
    /// How many of `items` must be there.
    pub(super) required: usize,
    pub(super) rest: Option<Box<Node>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object {
    pub(super) properties: Vec<Property>,
    pub(super) rest: Rest,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) node: Node,
}

/// What an object may hold beside its properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Rest {
    /// The schema does not say; anything, then, but nobody knows what for.
    #[default]
    Unsaid,
    Nothing,
    Each(Box<Node>),
}

impl Node {
    pub(super) fn of(ty: Type) -> Self {
        Self { ty, doc: Doc::default() }
    }

    /// Makes a union: flat, without repetitions, and with what is said of an optional value's one type said of it.
    pub(super) fn union(members: Vec<Self>) -> Self {
        let mut flat: Vec<Self> = Vec::with_capacity(members.len());
        for member in members {
            let inner = match member {
                Self { ty: Type::Union(inner), .. } => inner,
                other => vec![other],
            };
            for node in inner {
                match node.ty {
                    Type::Anything => return Self::default(),
                    Type::Nothing => {}
                    _ if flat.iter().any(|known| known.ty == node.ty) => {}
                    _ => flat.push(node),
                }
            }
        }
        match flat.len() {
            0 => Self::of(Type::Nothing),
            1 => flat.pop().unwrap_or_default(),
            _ => {
                let mut said = flat.iter_mut().filter(|node| node.ty != Type::Null);
                let doc = match (said.next(), said.next()) {
                    (Some(only), None) => std::mem::take(&mut only.doc),
                    _ => Doc::default(),
                };
                Self { ty: Type::Union(flat), doc }
            }
        }
    }
}
