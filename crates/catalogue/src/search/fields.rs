//! What is read of a tool, and what each part of it counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use carrel_contract::ToolDescription;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How much a word counts by where it stands, and how much the length of that text takes off it: BM25's `b`.
pub(super) const FIELDS: [(f64, f64); 6] = [
    (4.0, 0.5),  // name
    (1.5, 0.0),  // server
    (2.0, 0.5),  // first sentence
    (0.8, 0.75), // the whole description
    (0.8, 0.75), // names of parameters
    (0.3, 0.75), // their descriptions
];

const NAME: usize = 0;
const SERVER: usize = 1;
const FIRST: usize = 2;
const WHOLE: usize = 3;
const PARAMETER: usize = 4;
const PARAMETER_TEXT: usize = 5;

/// What is read of a description, and of each parameter's, in bytes. The longest of known servers have 8 KiB.
const MAX_TEXT_BYTES: usize = 4096;
const MAX_PARAMETER_BYTES: usize = 512;
/// How many parameters are read.
const MAX_PARAMETERS: usize = 64;

/// Hands each text of a tool to `each`, with its field and how much of it to read.
pub(super) fn read(tool: &ToolDescription, mut each: impl FnMut(usize, &str, usize)) {
    let (server, name) = split_name(tool);
    each(NAME, name, 128);
    each(SERVER, server, 128);
    each(FIRST, &crate::summary(&tool.description, 300), MAX_TEXT_BYTES);
    each(WHOLE, &tool.description, MAX_TEXT_BYTES);
    let Some(schema) = &tool.input_schema else { return };
    for (name, schema) in parameters(schema.as_str()).iter().take(MAX_PARAMETERS) {
        each(PARAMETER, name, 128);
        let Parameter { description, allowed } = serde_json::from_str(schema.get()).unwrap_or_default();
        each(PARAMETER_TEXT, &description, MAX_PARAMETER_BYTES);
        // As JSON: between its signs are words.
        each(PARAMETER_TEXT, allowed.map_or("", RawValue::get), MAX_PARAMETER_BYTES);
    }
}

/// Returns the schemas of the parameters by their names. A schema of another form has none.
fn parameters(schema: &str) -> BTreeMap<Cow<'_, str>, &RawValue> {
    let schema: Schema<'_> = serde_json::from_str(schema).unwrap_or_default();
    schema.properties.and_then(|properties| serde_json::from_str(properties.get()).ok()).unwrap_or_default()
}

#[derive(Default, Deserialize)]
struct Schema<'a> {
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameter<'a> {
    #[serde(borrow)]
    description: Cow<'a, str>,
    #[serde(borrow, rename = "enum")]
    allowed: Option<&'a RawValue>,
}

/// Returns a tool's server and its name there: `github__create_issue` is `create_issue` of `github`.
pub(super) fn split_name(tool: &ToolDescription) -> (&str, &str) {
    let name = tool.name.as_str();
    match name.split_once("__").filter(|(server, bare)| !server.is_empty() && !bare.is_empty()) {
        Some((server, bare)) => (tool.server.as_deref().unwrap_or(server), bare),
        None => (tool.server.as_deref().unwrap_or_default(), name),
    }
}
