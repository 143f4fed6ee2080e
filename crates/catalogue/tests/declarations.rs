//! Declarations as files: `tests/declarations/NAME.json` is a tool, `NAME.ts` what a model reads of it.
//!
//! `CARREL_BLESS=1` writes the `.ts` files again; read what it wrote.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use carrel_catalogue::declaration::{Budget, Declaration};
use carrel_contract::{JsonText, ToolDescription, ToolHints, ToolName, ToolOutput};
use serde_json::Value;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/declarations");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    cases.sort();
    assert!(cases.len() > 10);
    cases
}

fn tool(path: &Path) -> (ToolDescription, Budget) {
    let case: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let string = |key: &str| case.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = case.get("name").and_then(Value::as_str).unwrap_or("server__tool");
    let mut tool = ToolDescription::new(ToolName::new(name).unwrap(), string("description"));
    if let Some(input) = case.get("input") {
        tool = tool.with_input_schema(JsonText::from_value(input));
    }
    for (key, observed) in [("output", false), ("observed", true)] {
        if let Some(schema) = case.get(key) {
            tool = tool.with_output(ToolOutput { schema: JsonText::from_value(schema), observed });
        }
    }
    let hints: ToolHints =
        serde_json::from_value(case.get("hints").cloned().unwrap_or_default()).unwrap_or_default();
    let budget = case
        .get("budget")
        .and_then(Value::as_u64)
        .map_or_else(Budget::default, |bytes| Budget::bytes(usize::try_from(bytes).unwrap()));
    (tool.with_hints(hints), budget)
}

#[test]
fn declarations_are_as_in_the_files() {
    let bless = std::env::var_os("CARREL_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in cases() {
        let (tool, budget) = tool(&path);
        let declared = Declaration::new(&tool, budget).to_string();
        let expected = path.with_extension("ts");
        if bless {
            fs::write(&expected, &declared).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != declared {
            wrong.push(format!("{}:\n{declared}", expected.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
