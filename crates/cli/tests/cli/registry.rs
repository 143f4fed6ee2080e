//! `server.json`, for the MCP registry, against the schema that the registry publishes.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Ran, repository};

/// The schema comes from a Python package that carries all released ones, and is found by the `$schema` of the document.
const CHECK: &str = "
import importlib.resources, json, jsonschema, sys
document = json.load(open(sys.argv[1]))
version = document['$schema'].split('/schemas/')[1].split('/')[0].replace('-', '_')
schemas = importlib.resources.files('skillsaw') / 'schemas' / 'mcp_registry' / f'v{version}'
schema = json.loads((schemas / 'server.schema.json').read_text())
assert schema['$id'] == document['$schema'], schema['$id']
validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
def faults(document): return [f'{list(fault.path)}: {fault.message}' for fault in validator.iter_errors(document)]
assert faults({**document, 'name': 'carrel'}), 'the schema takes everything'
print('\\n'.join(faults(document)))
";

#[test]
fn the_document_fits_the_schema_of_the_registry() {
    let document = repository().join("server.json");
    let python = repository().join(".x/python/bin/python");
    assert!(python.is_file(), "{} is missing: run ./x setup", python.display());
    let output = Command::new(python).args(["-c", CHECK]).arg(&document).output().unwrap();
    assert_eq!(Ran::from(output).expect(0).stdout.trim(), "");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    assert_eq!(document.get("version").and_then(Value::as_str), Some(env!("CARGO_PKG_VERSION")));
}
