//! A checker over the compiler from npm, and a few tools.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use carrel_checker::{Checker, Compiler, Options};
use carrel_contract::{
    CellChecker, CheckRequest, EarlierCell, JsonText, ToolDescription, ToolName, ToolOutput,
};

/// The wrapper that npm puts beside the native compiler.
pub(crate) fn wrapper() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/npm/node_modules/typescript/bin/tsc");
    assert!(path.exists(), "no {}: `./x setup` installs what the tests need", path.display());
    path
}

pub(crate) fn checker(options: Options) -> Checker {
    Checker::with_compiler(Compiler::at(&wrapper()).unwrap(), options)
}

fn tool(name: &str, input: &str, output: Option<&str>) -> ToolDescription {
    let description = format!("The tool {name}.");
    let tool = ToolDescription::new(ToolName::new(name).unwrap(), description)
        .with_input_schema(JsonText::parse(input).unwrap());
    match output {
        None => tool,
        Some(schema) => {
            tool.with_output(ToolOutput { schema: JsonText::parse(schema).unwrap(), observed: false })
        }
    }
}

pub(crate) fn tools() -> Arc<[ToolDescription]> {
    let order = r#"{"type":"object","properties":{"id":{"type":"string"},"total":{"type":"number"}},"required":["id","total"]}"#;
    let by_id = r#"{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":false}"#;
    let list =
        r#"{"type":"object","properties":{"status":{"enum":["open","paid"]},"limit":{"type":"integer"}}}"#;
    let orders = format!(r#"{{"type":"array","items":{order}}}"#);
    Arc::new([
        tool("orders__get_order", by_id, Some(order)),
        tool("orders__list_orders", list, Some(&orders)),
        tool(
            "notes__search",
            r#"{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}"#,
            None,
        ),
    ])
}

/// Checks a cell. Returns `LINE:COLUMN CODE MESSAGE` of each diagnostic.
pub(crate) async fn check(checker: &Checker, source: &str) -> Vec<String> {
    check_after(checker, &[], source).await
}

/// Checks a cell that runs after others, which completed.
pub(crate) async fn check_after(checker: &Checker, earlier: &[&str], source: &str) -> Vec<String> {
    let earlier = earlier.iter().map(|source| EarlierCell::new((*source).into(), true)).collect();
    let request = CheckRequest::new(source.into(), tools()).with_earlier(earlier);
    let found = checker.check(request).await.unwrap();
    let line = |it: &carrel_contract::TypeDiagnostic| {
        format!("{}:{} {} {}", it.location.line, it.location.column, it.code, it.message)
    };
    found.iter().map(line).collect()
}

/// Checks that a cell is found to be sound.
pub(crate) async fn accept(checker: &Checker, source: &str) {
    assert_eq!(check(checker, source).await, Vec::<String>::new(), "{source}");
}
