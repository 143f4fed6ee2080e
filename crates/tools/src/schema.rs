//! A tool's input schema, and what an input that does not fit is told.
//!
//! The schema comes from an upstream, so it may be anything. It is compiled when first needed, may refer to
//! nothing outside itself, and one that cannot be compiled checks nothing: its server still will.

use std::fmt::Write as _;
use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::bound::bounded;
use crate::near::nearest;

/// The largest schema that is compiled, in bytes of JSON.
const MAX_SCHEMA_BYTES: usize = 1 << 20;
/// The deepest schema that is compiled.
const MAX_SCHEMA_DEPTH: usize = 128;
/// Faults that a message names; the rest are counted.
const MAX_FAULTS: usize = 5;
/// The longest piece of an input or a schema that a message repeats, in bytes.
const MAX_QUOTED_BYTES: usize = 120;
/// Names of properties that a message lists.
const MAX_LISTED: usize = 20;

/// The schema of a tool's input.
pub struct InputSchema {
    document: Value,
    compiled: OnceLock<Result<Validator, String>>,
}

impl InputSchema {
    pub(crate) fn new(document: Value) -> Self {
        Self { document, compiled: OnceLock::new() }
    }

    /// Returns the schema as its server sent it.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Says why inputs are not checked against this schema; `None` when they are.
    ///
    /// Compiles the schema when nothing has before.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.validator().err()
    }

    /// Checks an input and says what does not fit: where, what, and what is accepted.
    ///
    /// # Errors
    /// [`InvalidInput`] with the first faults. A schema that cannot be compiled accepts everything.
    pub fn check(&self, input: &Value) -> Result<(), InvalidInput> {
        let Ok(validator) = self.validator() else {
            return Ok(());
        };
        let mut errors = validator.iter_errors(input);
        let mut faults: Vec<Fault> =
            errors.by_ref().take(MAX_FAULTS).map(|error| self.fault(&error)).collect();
        if faults.is_empty() {
            return Ok(());
        }
        faults.dedup();
        // Counting is bounded too: an input of a million wrong items is not worth a million messages.
        Err(InvalidInput { faults, more: errors.take(1000).count() })
    }

    fn validator(&self) -> Result<&Validator, &str> {
        self.compiled.get_or_init(|| compile(&self.document)).as_ref().map_err(String::as_str)
    }

    fn fault(&self, error: &ValidationError<'_>) -> Fault {
        let mut path = String::from("input");
        for segment in error.instance_path() {
            match segment {
                LocationSegment::Property(name) if is_identifier(&name) => {
                    let _infallible = write!(path, ".{name}");
                }
                LocationSegment::Property(name) => {
                    let _infallible = write!(path, "[{}]", quoted(&Value::from(name.as_ref())));
                }
                LocationSegment::Index(index) => {
                    let _infallible = write!(path, "[{index}]");
                }
            }
        }
        Fault { path: bounded(&path, 2 * MAX_QUOTED_BYTES), problem: self.problem_of(error) }
    }

    fn problem_of(&self, error: &ValidationError<'_>) -> String {
        use ValidationErrorKind as Kind;
        let found = || quoted(error.instance());
        match error.kind() {
            Kind::Required { property } => {
                let described = property.as_str().and_then(|name| self.property_type(error, name));
                let described = described.map(|kind| format!(" ({kind})")).unwrap_or_default();
                format!("lacks the required property {}{described}", quoted(property))
            }
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                self.unexpected(error, unexpected)
            }
            Kind::Type { kind } => {
                let accepted = match kind {
                    TypeKind::Single(one) => one.to_string(),
                    TypeKind::Multiple(set) => {
                        set.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
                    }
                };
                format!("is {}; accepted: {accepted}", found())
            }
            Kind::Enum { options } => {
                let mut accepted = match options.as_ref() {
                    Value::Array(options) => {
                        options.iter().take(MAX_LISTED).map(quoted).collect::<Vec<_>>().join(", ")
                    }
                    other => quoted(other),
                };
                if options.as_array().is_some_and(|options| options.len() > MAX_LISTED) {
                    accepted.push_str(", …");
                }
                format!("is {}; accepted: {accepted}", found())
            }
            Kind::Constant { expected_value } => {
                format!("is {}; accepted: {}", found(), quoted(expected_value))
            }
            Kind::Minimum { limit } => format!("is {}; accepted: {} or more", found(), quoted(limit)),
            Kind::Maximum { limit } => format!("is {}; accepted: {} or less", found(), quoted(limit)),
            Kind::ExclusiveMinimum { limit } => {
                format!("is {}; accepted: more than {}", found(), quoted(limit))
            }
            Kind::ExclusiveMaximum { limit } => {
                format!("is {}; accepted: less than {}", found(), quoted(limit))
            }
            Kind::MinLength { limit } => format!("is {}; accepted: {limit} characters or more", found()),
            Kind::MaxLength { limit } => format!("is {}; accepted: {limit} characters or fewer", found()),
            Kind::MinItems { limit } => format!("has too few items; accepted: {limit} or more"),
            Kind::MaxItems { limit } => format!("has too many items; accepted: {limit} or fewer"),
            Kind::AdditionalItems { limit } => format!("has too many items; accepted: {limit} or fewer"),
            Kind::Pattern { pattern } => {
                format!(
                    "is {}; accepted: text that matches /{}/",
                    found(),
                    bounded(pattern, MAX_QUOTED_BYTES)
                )
            }
            Kind::Format { format } => {
                format!("is {}; accepted: text of the form `{}`", found(), bounded(format, MAX_QUOTED_BYTES))
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                let alternatives: Vec<String> = context
                    .iter()
                    .take(MAX_FAULTS)
                    .filter_map(|errors| errors.first())
                    .map(|error| self.problem_of(error))
                    .collect();
                format!("fits none of the accepted forms: it {}", alternatives.join("; or it "))
            }
            // The library's own words for the rest, with the value left out: it may be of any size.
            _ => bounded(&error.masked_with("the value").to_string(), 2 * MAX_QUOTED_BYTES),
        }
    }

    fn unexpected(&self, error: &ValidationError<'_>, unexpected: &[String]) -> String {
        let known = self.known_properties(error);
        let mut problem = String::from("has ");
        for (i, name) in unexpected.iter().take(MAX_FAULTS).enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            let _infallible =
                write!(problem, "{separator}an unknown property {}", quoted(&name.as_str().into()));
            if let Some(near) = nearest(name, known.iter().map(String::as_str), 1).first() {
                let _infallible = write!(problem, " (did you mean {}?)", quoted(&(*near).into()));
            }
        }
        if known.is_empty() {
            problem.push_str("; accepted: no properties");
        } else {
            let listed: Vec<_> =
                known.iter().take(MAX_LISTED).map(|name| quoted(&name.as_str().into())).collect();
            let rest = if known.len() > MAX_LISTED { ", …" } else { "" };
            let _infallible = write!(problem, "; accepted: {}{rest}", listed.join(", "));
        }
        problem
    }

    /// The part of the schema that holds the keyword which failed.
    fn parent_schema(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let pointer = error.schema_path().as_str();
        self.document.pointer(pointer.rsplit_once('/')?.0)
    }

    fn known_properties(&self, error: &ValidationError<'_>) -> Vec<String> {
        let properties = self.parent_schema(error).and_then(|schema| schema.get("properties"));
        properties.and_then(Value::as_object).map(|map| map.keys().cloned().collect()).unwrap_or_default()
    }

    fn property_type(&self, error: &ValidationError<'_>, name: &str) -> Option<String> {
        let parent = self.parent_schema(error)?;
        // `required` is a list, so the path may end at the list or at one of its items.
        let kind = parent.get("properties")?.get(name)?.get("type")?.as_str()?;
        Some(bounded(kind, MAX_QUOTED_BYTES))
    }
}

impl std::fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("InputSchema").field(&self.document).finish()
    }
}

/// An input that does not fit its tool's schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(.faults, *.more))]
pub struct InvalidInput {
    /// The first faults, in the order of the schema.
    pub faults: Vec<Fault>,
    /// How many there are beyond those, up to 1,000.
    pub more: usize,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a cell would write it: `input.filter[0].status`.
    pub path: String,
    /// What is wrong and what is accepted.
    pub problem: String,
}

fn describe(faults: &[Fault], more: usize) -> String {
    let mut text: Vec<String> =
        faults.iter().map(|fault| format!("`{}` {}", fault.path, fault.problem)).collect();
    if more > 0 {
        text.push(format!("and {more} more"));
    }
    text.join("; ")
}

fn compile(document: &Value) -> Result<Validator, String> {
    if depth_exceeds(document, MAX_SCHEMA_DEPTH) {
        return Err(format!("the schema is nested deeper than {MAX_SCHEMA_DEPTH}"));
    }
    if document.to_string().len() > MAX_SCHEMA_BYTES {
        return Err("the schema is larger than 1 MiB".to_owned());
    }
    if refers_in_a_circle(document) {
        return Err("the schema refers to itself without end".to_owned());
    }
    jsonschema::options()
        .offline()
        // Backtracking is what makes a pattern expensive; a hostile one ends as a fault, not as a hang.
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(100_000).size_limit(1 << 20))
        .build(document)
        .map_err(|error| bounded(&error.to_string(), 2 * MAX_QUOTED_BYTES))
}

fn depth_exceeds(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|item| depth_exceeds(item, left - 1)),
        Value::Object(map) => left == 0 || map.values().any(|item| depth_exceeds(item, left - 1)),
        _ => false,
    }
}

/// Finds a chain of local references that leads back to itself without going into the instance: checking
/// anything against it would never end.
fn refers_in_a_circle(document: &Value) -> bool {
    fn follow<'a>(
        document: &'a Value,
        schema: &'a Value,
        trail: &mut Vec<&'a str>,
        budget: &mut usize,
    ) -> bool {
        let Value::Object(map) = schema else { return false };
        if *budget == 0 {
            return true;
        }
        *budget -= 1;
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            if trail.contains(&reference) {
                return true;
            }
            if let Some(target) = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) {
                trail.push(reference);
                let circle = follow(document, target, trail, budget);
                trail.pop();
                if circle {
                    return true;
                }
            }
        }
        // The keywords that apply a schema to the same place in the instance.
        let alternatives =
            ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| map.get(key)?.as_array()).flatten();
        let single = ["not", "if", "then", "else"].into_iter().filter_map(|key| map.get(key));
        alternatives.chain(single).any(|schema| follow(document, schema, trail, budget))
    }

    fn anywhere(document: &Value, schema: &Value, budget: &mut usize) -> bool {
        match schema {
            Value::Object(map) => {
                (map.contains_key("$ref") && follow(document, schema, &mut Vec::new(), budget))
                    || map.values().any(|value| anywhere(document, value, budget))
            }
            Value::Array(items) => items.iter().any(|value| anywhere(document, value, budget)),
            _ => false,
        }
    }

    anywhere(document, document, &mut 100_000)
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {} items", items.len()),
        Value::Object(_) => "an object".to_owned(),
        // Cut before it is escaped, so that a long text is not copied to be thrown away.
        Value::String(text) => {
            let kept = text.get(..text.floor_char_boundary(MAX_QUOTED_BYTES)).unwrap_or_default();
            let cut = if kept.len() < text.len() { "…" } else { "" };
            format!("{}{cut}", Value::from(kept))
        }
        other => other.to_string(),
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .enumerate()
            .all(|(i, b)| b.is_ascii_alphabetic() || b == b'_' || b == b'$' || (i > 0 && b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn orders() -> InputSchema {
        InputSchema::new(json!({
            "type": "object",
            "properties": {
                "customer": { "type": "string", "pattern": "^c-[0-9]+$" },
                "status": { "enum": ["open", "shipped"] },
                "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
                "lines": { "type": "array", "items": { "type": "object", "required": ["sku"],
                    "properties": { "sku": { "type": "string" } } } }
            },
            "required": ["customer"],
            "additionalProperties": false
        }))
    }

    fn message(schema: &InputSchema, input: &Value) -> String {
        schema.check(input).unwrap_err().to_string()
    }

    #[test]
    fn accepts_what_fits() {
        orders().check(&json!({ "customer": "c-1", "limit": 5, "lines": [{ "sku": "x" }] })).unwrap();
    }

    #[test]
    fn names_place_fault_and_what_is_accepted() {
        let schema = orders();
        for (input, expected) in [
            (json!({}), "`input` lacks the required property \"customer\" (string)"),
            (json!({ "customer": "c-1", "limit": "five" }), "`input.limit` is \"five\"; accepted: integer"),
            (json!({ "customer": "c-1", "limit": 0 }), "`input.limit` is 0; accepted: 1 or more"),
            (
                json!({ "customer": "c-1", "status": "opn" }),
                "`input.status` is \"opn\"; accepted: \"open\", \"shipped\"",
            ),
            (
                json!({ "customer": "bob" }),
                "`input.customer` is \"bob\"; accepted: text that matches /^c-[0-9]+$/",
            ),
            (
                json!({ "customer": "c-1", "lines": [{ "sku": "a" }, {}] }),
                "`input.lines[1]` lacks the required property \"sku\" (string)",
            ),
            (
                json!({ "customer": "c-1", "limt": 5 }),
                "`input` has an unknown property \"limt\" (did you mean \"limit\"?); accepted: \"customer\", \
                 \"status\", \"limit\", \"lines\"",
            ),
        ] {
            assert_eq!(message(&schema, &input), expected);
        }
    }

    #[test]
    fn names_every_fault_up_to_a_bound() {
        let both = message(&orders(), &json!({ "customer": 1, "limit": 1000 }));
        assert!(both.contains("`input.customer`") && both.contains("`input.limit`"), "{both}");
        let lines = vec![json!({}); 5000];
        let many = message(&orders(), &json!({ "customer": "c-1", "lines": lines }));
        assert!(many.ends_with("and 1000 more") && many.len() < 1000, "{many}");
    }

    #[test]
    fn says_what_each_alternative_wanted() {
        let schema = InputSchema::new(json!({ "properties": { "id": {
            "anyOf": [{ "type": "integer" }, { "enum": ["latest"] }] } } }));
        assert_eq!(
            message(&schema, &json!({ "id": "x" })),
            "`input.id` fits none of the accepted forms: it is \"x\"; accepted: integer; or it is \"x\"; \
             accepted: \"latest\""
        );
    }

    #[test]
    fn quotes_little_of_a_large_input() {
        let text = message(&orders(), &json!({ "customer": "x".repeat(1 << 20) }));
        assert!(text.len() < 400, "{}", text.len());
        let key = "k".repeat(1 << 20);
        let text = message(&orders(), &json!({ "customer": "c-1", key: 1 }));
        assert!(text.len() < 400, "{}", text.len());
    }

    #[test]
    fn a_schema_that_cannot_be_compiled_checks_nothing() {
        let mut deep = json!({});
        for _ in 0..200 {
            deep = json!({ "not": deep });
        }
        for document in [
            json!({ "type": 5 }),
            json!({ "$ref": "https://example.com/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "$ref": "#" }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "allOf": [{ "$ref": "#/$defs/a" }] } } }),
            json!({ "properties": { "x": { "pattern": "(" } } }),
            deep,
        ] {
            let schema = InputSchema::new(document);
            assert!(schema.problem().is_some(), "{:?}", schema.document());
            schema.check(&json!({ "x": 1 })).unwrap();
        }
    }

    #[test]
    fn a_schema_may_refer_to_itself_below() {
        let schema = InputSchema::new(json!({
            "properties": { "child": { "$ref": "#" }, "n": { "type": "integer" } } }));
        assert_eq!(schema.problem(), None);
        assert_eq!(
            message(&schema, &json!({ "child": { "child": { "n": "x" } } })),
            "`input.child.child.n` is \"x\"; accepted: integer"
        );
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let schema = InputSchema::new(json!({ "properties": { "x": { "pattern": "^(a+)+(?=b)$" } } }));
        assert!(schema.check(&json!({ "x": "a".repeat(40) })).is_err());
    }
}
