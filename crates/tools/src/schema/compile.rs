//! From a schema to a validator, with limits on what a hostile one can cost.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::fan::Fan;
use crate::bound::bounded;

/// The largest schema that is compiled, in bytes of JSON.
const MAX_BYTES: usize = 1 << 20;
/// The deepest schema that is compiled, and the longest chain of references in one.
pub(super) const MAX_DEPTH: usize = 128;
/// The longest reason that is kept, in bytes.
const MAX_REASON_BYTES: usize = 240;

/// Compiles a schema, or says why inputs cannot be checked against it.
pub(super) fn compile(document: &Value) -> Result<Validator, String> {
    if depth_exceeds(document, MAX_DEPTH) {
        return Err(format!("the schema is nested deeper than {MAX_DEPTH}"));
    }
    if document.to_string().len() > MAX_BYTES {
        return Err("the schema is larger than 1 MiB".to_owned());
    }
    Fan::check(document)?;
    jsonschema::options()
        .offline()
        // Backtracking is what makes a pattern expensive; a hostile one ends as a fault, not as a hang.
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(100_000).size_limit(1 << 20))
        .build(document)
        .map_err(|error| bounded(&error.to_string(), MAX_REASON_BYTES))
}

fn depth_exceeds(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|item| depth_exceeds(item, left - 1)),
        Value::Object(map) => left == 0 || map.values().any(|item| depth_exceeds(item, left - 1)),
        _ => false,
    }
}
