//! TypeScript's compiler over some files, and oxc's parser over each.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use carrel_catalogue::declaration::{Budget, Declaration, GLOBALS, declare_all};
use carrel_contract::{JsonText, ToolDescription, ToolName};
use serde_json::Value;

/// A fault that the compiler found.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Checks files, by name and text, beside the globals of a cell.
pub(crate) fn check(files: &[(&str, &str)]) -> Vec<Fault> {
    let tsc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.x/npm/node_modules/typescript/bin/tsc");
    assert!(tsc.is_file(), "{} is missing: run ./x setup", tsc.display());
    let folder = tempfile::tempdir().unwrap();
    let all = [("globals.d.ts", GLOBALS)];
    for (name, text) in all.iter().chain(files) {
        parse(name, text);
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = Command::new("node")
        .arg(tsc)
        .args(["--noEmit", "--strict", "--pretty", "false", "--lib", "esnext", "--target", "esnext"])
        .args(["--module", "esnext", "--moduleDetection", "force", "--skipLibCheck", "false"])
        .args(all.iter().chain(files).map(|(name, _)| name))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let faults: Vec<Fault> = said.lines().filter_map(fault).collect();
    assert_eq!(
        output.status.success(),
        faults.is_empty(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    faults
}

/// Parses a file as a cell's TypeScript is parsed.
fn parse(name: &str, text: &str) {
    let allocator = oxc_allocator::Allocator::default();
    let kind = oxc_span::SourceType::from_path(name).unwrap();
    let parsed = oxc_parser::Parser::new(&allocator, text, kind).parse();
    assert!(
        !parsed.panicked && parsed.diagnostics.errors().next().is_none(),
        "{name}: {:?}",
        parsed.diagnostics
    );
}

/// Reads `file(line,column): error TS1234: message`; what belongs to a fault on further lines is indented.
fn fault(line: &str) -> Option<Fault> {
    let (place, message) = line.split_once("): error ")?;
    let (file, place) = place.split_once('(')?;
    let line = place.split_once(',')?.0.parse().ok()?;
    Some(Fault { file: file.to_owned(), line, message: message.to_owned() })
}

/// Declares a tool with this input.
pub(crate) fn declare(name: &str, input: &Value, budget: Budget) -> Declaration {
    let tool =
        ToolDescription::new(ToolName::new(name).unwrap(), "").with_input_schema(JsonText::from_value(input));
    Declaration::new(&tool, budget)
}

/// A schema and values that it allows.
pub(crate) struct Case {
    pub(crate) schema: Value,
    pub(crate) allowed: Vec<Value>,
}

/// A value that its schema allows and the declaration does not, and what the compiler says; or a declaration at fault.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) case: usize,
    pub(crate) what: String,
}

/// Declares all, and checks a call of each with each value that is allowed.
///
/// The value is passed as one of exactly its type, not as a literal: of literals TypeScript also says where they have
/// properties that a type without an index signature does not name.
pub(crate) fn misfits(cases: &[Case]) -> Vec<Misfit> {
    let declared: Vec<Declaration> = cases
        .iter()
        .enumerate()
        .map(|(at, case)| declare(&format!("c{at}"), &case.schema, Budget::default()))
        .collect();
    let tools = declare_all(&declared);
    let mut calls = String::new();
    let mut lines = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        for value in &case.allowed {
            writeln!(calls, "{{ let v = null! as {}; void tools.c{at}(v); }}", exactly(value)).unwrap();
            lines.push((at, value.to_string()));
        }
    }
    calls.push_str("export {};\n");
    let faults = check(&[("tools.d.ts", &tools), ("calls.ts", &calls)]);
    faults
        .into_iter()
        // TypeScript wants one of the properties to be there even where all are optional (TS2559).
        .filter(|fault| !fault.message.starts_with("TS2559"))
        .map(|fault| match (fault.file.as_str(), lines.get(fault.line - 1)) {
            ("calls.ts", Some((case, value))) => {
                let declared = declared[*case].to_string();
                Misfit { case: *case, what: format!("{value}: {}\n{declared}", fault.message) }
            }
            _ => panic!("{fault:?}: {:?}", tools.lines().nth(fault.line - 1)),
        })
        .collect()
}

/// Writes the type that has this value alone.
fn exactly(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(exactly).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let members: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), exactly(value)))
                .collect();
            format!("{{ {} }}", members.join("; "))
        }
        // What JSON writes, TypeScript reads.
        primitive => primitive.to_string(),
    }
}
