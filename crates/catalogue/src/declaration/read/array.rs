//! Arrays and tuples, in the words of every draft.

use serde_json::{Map, Value};

use super::super::node::{Node, Tuple, Type};
use super::{At, Reader};

/// Items of a tuple that are read one by one.
const MAX_ITEMS: usize = 50;

/// Keywords that look at the items of the same array.
const APPLICATORS: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef", "$recursiveRef", "contains", "dependentSchemas"];

impl<'a> Reader<'a> {
    pub(super) fn array(&mut self, map: &'a Map<String, Value>, at: At<'a>) -> Node {
        let (prefix, rest) = match (map.get("prefixItems"), map.get("items")) {
            (Some(Value::Array(prefix)), rest) => (prefix.as_slice(), rest),
            (_, Some(Value::Array(prefix))) => (prefix.as_slice(), map.get("additionalItems")),
            (_, rest) => (&[][..], rest),
        };
        let rest = rest.or_else(|| {
            // What other keywords looked at is evaluated, too: only where there are none is it what `items` would be.
            let alone = !APPLICATORS.iter().any(|key| map.contains_key(*key));
            map.get("unevaluatedItems").filter(|_| alone)
        });
        let most = map.get("maxItems").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        let least = map.get("minItems").and_then(Value::as_u64).and_then(|least| usize::try_from(least).ok());
        let rest = match rest {
            Some(rest) => self.schema(rest, at, ""),
            None => Node::default(),
        };
        if prefix.is_empty() && rest.ty != Type::Nothing && most != Some(0) {
            return Node::of(Type::Array(Box::new(rest)));
        }
        let count = prefix.len().min(most.unwrap_or(usize::MAX));
        let mut items = Vec::new();
        for item in prefix.iter().take(count.min(MAX_ITEMS)) {
            items.push(self.schema(item, at, ""));
        }
        let required = least.unwrap_or(0).min(items.len());
        let is_cut = count > items.len();
        let open = !is_cut && most.is_none_or(|most| most > prefix.len()) && rest.ty != Type::Nothing;
        let rest = match (is_cut, open) {
            (true, _) => Some(Box::default()),
            (false, true) => Some(Box::new(rest)),
            (false, false) => None,
        };
        Node::of(Type::Tuple(Tuple { items, required, rest }))
    }
}
