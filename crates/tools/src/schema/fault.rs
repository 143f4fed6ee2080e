//! What an input that does not fit is told: where, what is wrong, and what is accepted.

use std::fmt::Write as _;

use carrel_contract::{ToolError, ToolErrorCode, ToolName};
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::MAX_FAULTS;
use crate::bound::bounded;
use crate::near::nearest;

/// The longest piece of an input or a schema that a message repeats, in bytes.
const MAX_QUOTED_BYTES: usize = 120;
/// Names of properties that a message lists.
const MAX_LISTED: usize = 20;

/// An input that does not fit its tool's schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.faults, *.more))]
pub struct InvalidInput {
    /// The first faults, in the order of the schema.
    pub faults: Vec<Fault>,
    /// How many there are beyond those, up to 1,000.
    pub more: usize,
}

impl InvalidInput {
    /// Says it to whoever called `tool`.
    pub(crate) fn refuse(&self, tool: &ToolName) -> ToolError {
        ToolError::new(ToolErrorCode::InvalidInput, format!("the input does not fit {tool}: {self}"))
    }
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a cell would write it: `input.filter[0].status`.
    pub path: String,
    /// What is wrong and what is accepted.
    pub problem: String,
}

fn list(faults: &[Fault], more: usize) -> String {
    let mut text: Vec<String> =
        faults.iter().map(|fault| format!("`{}` {}", fault.path, fault.problem)).collect();
    if more > 0 {
        text.push(format!("and {more} more"));
    }
    text.join("; ")
}

/// Describes one error of checking an input against `document`.
pub(super) fn describe(document: &Value, error: &ValidationError<'_>) -> Fault {
    Describer { document }.fault(error)
}

/// Words for errors of one schema.
struct Describer<'a> {
    document: &'a Value,
}

impl Describer<'_> {
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
