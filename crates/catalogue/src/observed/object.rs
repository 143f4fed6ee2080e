//! The shape of some objects: their properties, or that they are maps whose names say nothing.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::shape::{Sample, Shape};

/// The most properties; objects with more names between them are maps.
const MAX_FIELDS: usize = 64;
/// The longest name of a property, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Names that look like ids make a map of this many.
const FEW: usize = 3;
/// Objects, and names between them, from which on it shows that hardly any name comes twice.
const SOME_OBJECTS: u64 = 4;
const SOME_FIELDS: usize = 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fields {
    Named {
        /// How many objects were seen.
        objects: u64,
        /// In the order in which they were first seen.
        fields: Vec<Field>,
    },
    /// Each name is another: what they all hold.
    Map(Box<Shape>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Field {
    name: String,
    /// How many objects had it.
    objects: u64,
    shape: Shape,
}

impl Default for Fields {
    fn default() -> Self {
        Self::Named { objects: 0, fields: Vec::new() }
    }
}

impl Fields {
    pub(super) fn observe(&mut self, map: &Map<String, Value>, depth: usize, sample: &mut Sample) {
        if map.len() > MAX_FIELDS || map.keys().any(|name| name.len() > MAX_NAME_BYTES) {
            self.become_map();
        }
        match self {
            Self::Named { objects, fields } => {
                *objects = objects.saturating_add(1);
                for (name, value) in map {
                    let known = fields.iter().position(|field| field.name == *name);
                    let at = known.unwrap_or_else(|| {
                        fields.push(Field { name: name.clone(), objects: 0, shape: Shape::default() });
                        fields.len() - 1
                    });
                    if let Some(field) = fields.get_mut(at) {
                        field.objects = field.objects.saturating_add(1);
                        field.shape.observe(value, depth, sample);
                    }
                }
                self.settle();
            }
            Self::Map(shape) => Self::of(map).for_each(|value| shape.observe(value, depth, sample)),
        }
    }

    /// Chooses the values of a map that stand for all.
    fn of(map: &Map<String, Value>) -> impl Iterator<Item = &Value> {
        map.values().step_by((map.len() / MAX_FIELDS).max(1)).take(MAX_FIELDS)
    }

    pub(super) fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Named { objects, fields }, Self::Named { objects: more, fields: others }) => {
                *objects = objects.saturating_add(more);
                for other in others {
                    match fields.iter_mut().find(|field| field.name == other.name) {
                        Some(field) => {
                            field.objects = field.objects.saturating_add(other.objects);
                            field.shape.merge(other.shape);
                        }
                        None => fields.push(other),
                    }
                }
                self.settle();
            }
            (_, mut other) => {
                self.become_map();
                other.become_map();
                if let (Self::Map(shape), Self::Map(other)) = (self, other) {
                    shape.merge(*other);
                }
            }
        }
    }

    /// Makes a map of objects whose names turn out to be data.
    fn settle(&mut self) {
        let Self::Named { objects, fields } = self else { return };
        let ids = fields.len() >= FEW && fields.iter().all(|field| is_id(&field.name));
        let scattered = *objects >= SOME_OBJECTS
            && fields.len() >= SOME_FIELDS
            && fields.iter().all(|field| field.objects * 2 <= *objects);
        if ids || scattered || fields.len() > MAX_FIELDS {
            self.become_map();
        }
    }

    fn become_map(&mut self) {
        if let Self::Named { fields, .. } = self {
            let mut all = Shape::default();
            for field in std::mem::take(fields) {
                all.merge(field.shape);
            }
            *self = Self::Map(Box::new(all));
        }
    }

    pub(super) fn fits(&self, map: &Map<String, Value>, sample: &mut Sample) -> bool {
        match self {
            Self::Named { objects, fields } => {
                let always = fields.iter().filter(|field| field.objects == *objects);
                let has_all = always.into_iter().all(|field| map.contains_key(&field.name));
                has_all
                    && map.iter().all(|(name, value)| {
                        let known = fields.iter().find(|field| field.name == *name);
                        known.is_some_and(|field| field.shape.fits(value, sample))
                    })
            }
            Self::Map(shape) => Self::of(map).all(|value| shape.fits(value, sample)),
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Named { fields, .. } => fields.iter().map(|field| field.shape.count()).sum(),
            Self::Map(shape) => shape.count(),
        }
    }

    pub(super) fn prune(&mut self, depth: usize) {
        match self {
            Self::Named { fields, .. } => fields.iter_mut().for_each(|field| field.shape.prune(depth)),
            Self::Map(shape) => shape.prune(depth),
        }
    }

    /// Says so in a schema of objects.
    pub(super) fn describe(&self, schema: &mut Map<String, Value>) {
        match self {
            Self::Named { objects, fields } => {
                let properties: Map<String, Value> =
                    fields.iter().map(|field| (field.name.clone(), field.shape.schema())).collect();
                let always = fields.iter().filter(|field| field.objects == *objects);
                let required: Vec<Value> = always.map(|field| field.name.as_str().into()).collect();
                schema.insert("properties".to_owned(), properties.into());
                if !required.is_empty() {
                    schema.insert("required".to_owned(), required.into());
                }
            }
            Self::Map(shape) => {
                let each = if shape.is_empty() { json!(true) } else { shape.schema() };
                schema.insert("additionalProperties".to_owned(), each);
            }
        }
    }
}

/// Tells whether a name is rather an id than a word: digits, a date, a UUID, a path, an address.
fn is_id(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let odd = name.bytes().any(|byte| matches!(byte, b'/' | b'@' | b':' | b' '));
    !name.is_empty() && (digits * 2 >= name.len() || odd || (digits >= 4 && name.len() >= 8))
}
