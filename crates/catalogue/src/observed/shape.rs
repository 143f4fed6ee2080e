//! The shape of some JSON values: which kinds they are of, and the shapes of what they hold.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::object::Fields;

/// How deep shapes go; what lies deeper may be anything.
const MAX_DEPTH: usize = 12;
/// Items of an array that are looked at: so many from its beginning, and as many from all over the rest.
const MAX_ITEMS: usize = 40;

/// A set of kinds of JSON values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kinds(u8);

impl Kinds {
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    const INTEGER: Self = Self(4);
    const NUMBER: Self = Self(8);
    const STRING: Self = Self(16);
    const ARRAY: Self = Self(32);
    const OBJECT: Self = Self(64);

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => Self::NUMBER,
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// Tells whether values of all these kinds are among them; an integer is a number, too.
    pub(super) fn contains(self, kinds: Self) -> bool {
        let has = if self.0 & Self::NUMBER.0 == 0 { self.0 } else { self.0 | Self::INTEGER.0 };
        kinds.0 & !has == 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn names(self) -> Vec<&'static str> {
        let all = [
            (Self::STRING, "string"),
            // That all numbers so far were whole says little of the next.
            (Self::NUMBER.and(Self::INTEGER), "number"),
            (Self::BOOLEAN, "boolean"),
            (Self::ARRAY, "array"),
            (Self::OBJECT, "object"),
            (Self::NULL, "null"),
        ];
        all.into_iter().filter(|(kind, _)| self.0 & kind.0 != 0).map(|(_, name)| name).collect()
    }
}

/// What may still be looked at of one answer.
pub(super) struct Sample {
    left: usize,
}

impl Sample {
    pub(super) fn new(values: usize) -> Self {
        Self { left: values }
    }

    fn take(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }

    /// Chooses the items of an array that stand for all.
    fn of(items: &[Value]) -> impl Iterator<Item = &Value> {
        let (first, rest) = items.split_at(items.len().min(MAX_ITEMS));
        first.iter().chain(rest.iter().step_by((rest.len() / MAX_ITEMS).max(1)).take(MAX_ITEMS))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Shape {
    #[serde(default, skip_serializing_if = "is_default")]
    kinds: Kinds,
    /// Of the items of arrays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    items: Option<Box<Shape>>,
    /// Of objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<Fields>,
    /// More than is kept of it.
    #[serde(default, skip_serializing_if = "is_default")]
    anything: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Shape {
    pub(super) fn kinds(&self) -> Kinds {
        self.kinds
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kinds == Kinds::default()
    }

    /// Widens so that a value fits.
    pub(super) fn observe(&mut self, value: &Value, depth: usize, sample: &mut Sample) {
        if !sample.take() {
            return;
        }
        self.kinds = self.kinds.and(Kinds::of(value));
        if depth >= MAX_DEPTH && (value.is_array() || value.is_object()) {
            self.prune(0);
            self.anything = true;
            return;
        }
        if self.anything {
            return;
        }
        match value {
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                Sample::of(items).for_each(|item| shape.observe(item, depth + 1, sample));
            }
            Value::Object(map) => self.fields.get_or_insert_default().observe(map, depth + 1, sample),
            _ => {}
        }
    }

    /// Widens so that everything fits that fits the other.
    pub(super) fn merge(&mut self, other: Self) {
        self.kinds = self.kinds.and(other.kinds);
        self.anything |= other.anything;
        if self.anything {
            (self.items, self.fields) = (None, None);
            return;
        }
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items);
        }
        if let Some(fields) = other.fields {
            self.fields.get_or_insert_default().merge(fields);
        }
    }

    pub(super) fn fits(&self, value: &Value, sample: &mut Sample) -> bool {
        if self.anything || !sample.take() {
            return true;
        }
        if !self.kinds.contains(Kinds::of(value)) {
            return false;
        }
        match (value, &self.items, &self.fields) {
            (Value::Array(items), Some(shape), _) => Sample::of(items).all(|item| shape.fits(item, sample)),
            (Value::Object(map), _, Some(fields)) => fields.fits(map, sample),
            _ => true,
        }
    }

    pub(super) fn schema(&self) -> Value {
        let mut schema = Map::new();
        let mut names = self.kinds.names();
        if self.anything || names.is_empty() {
            return json!({});
        }
        let kind = if names.len() == 1 { names.remove(0).into() } else { names.into() };
        schema.insert("type".to_owned(), kind);
        if let Some(items) = self.items.as_ref().filter(|items| !items.is_empty()) {
            schema.insert("items".to_owned(), items.schema());
        }
        if let Some(fields) = &self.fields {
            fields.describe(&mut schema);
        }
        Value::Object(schema)
    }

    /// Counts the shapes within it.
    pub(super) fn count(&self) -> usize {
        let items = self.items.as_ref().map_or(0, |items| items.count());
        1 + items + self.fields.as_ref().map_or(0, Fields::count)
    }

    /// Forgets what lies deeper than that.
    pub(super) fn prune(&mut self, depth: usize) {
        if depth == 0 && (self.items.is_some() || self.fields.is_some()) {
            *self = Self { kinds: self.kinds, anything: true, ..Self::default() };
        } else {
            self.items.iter_mut().for_each(|items| items.prune(depth - 1));
            self.fields.iter_mut().for_each(|fields| fields.prune(depth - 1));
        }
    }
}
