//! Makes a cell of a test. The same source runs in native QuickJS-NG.
//!
//! Both engines are given `text` to print with, and nothing else that the language does not have.

use std::collections::HashMap;

use crate::suite::Test;

/// What test262 expects of a host. Detaching a buffer is what `transfer` does beside giving its bytes to another;
/// what else `$262` can have in other hosts, a cell cannot: such tests do not apply.
const HOST: &str = "{
  const show = text, { transfer } = ArrayBuffer.prototype, { apply } = Reflect;
  const add = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  add('print', (value) => show('' + value));
  add('$262', { global: globalThis, detachArrayBuffer(buffer) { apply(transfer, buffer, []); return null; } });
}";

/// Run after the harness: an error that reaches the top is known by its name, which this one lacks.
const NAMED: &str = "Object.defineProperty(Test262Error.prototype, 'name', { value: 'Test262Error', configurable: true, writable: true });";

const ALWAYS: [&str; 2] = ["assert.js", "sta.js"];
const ASYNC: &str = "doneprintHandle.js";

/// Returns a statement that runs a harness file in the global scope and leaves there what the file says it defines. In
/// a script `let` and `const` would be visible to the next one; in an `eval` they are not.
pub(crate) fn harness_statement(source: &str, defines: &[String]) -> String {
    // Not all that some files name is there.
    let keep = |name: &String| format!("if (typeof {name} !== 'undefined') globalThis.{name} = {name};");
    let kept: String = defines.iter().filter(|name| !name.contains('.')).map(keep).collect();
    eval(&format!("{source}\n{kept}"))
}

/// Returns the cell that runs a test. A test that includes a file which is not there fails when it runs.
pub(crate) fn of(test: &Test, harness: &HashMap<String, String>) -> String {
    let is_async = test.meta.has_flag("async");
    let files = ALWAYS
        .into_iter()
        .chain(is_async.then_some(ASYNC))
        .chain(test.meta.includes.iter().map(String::as_str));
    let mut cell = eval(HOST);
    for file in files {
        match harness.get(file) {
            Some(statement) => cell.push_str(statement),
            None => cell.push_str(&format!("throw new ReferenceError('there is no harness file {file}');")),
        }
    }
    cell.push_str(&eval(NAMED));
    if test.meta.has_flag("module") {
        cell.push_str(&test.source);
    } else {
        cell.push_str(&eval(&format!("\"use strict\";\n{}", test.source)));
    }
    cell
}

/// JSON is JavaScript: a string of one is a string of the other.
fn eval(source: &str) -> String {
    format!("(0, eval)({});", serde_json::Value::from(source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontmatter::Frontmatter;

    fn cell(source: &str) -> String {
        let meta = Frontmatter::of(source).unwrap();
        let harness = [("assert.js", "A;"), ("sta.js", "S;"), ("doneprintHandle.js", "D;"), ("x.js", "X;")]
            .map(|(name, statement)| (name.to_owned(), statement.to_owned()));
        of(&Test { path: "a.js".to_owned(), source: source.to_owned(), meta }, &harness.into())
    }

    #[test]
    fn harness_files_come_first_and_in_order() {
        let cell = cell("/*---\nflags: [async]\nincludes: [x.js, lost.js]\n---*/");
        assert!(cell.contains("A;S;D;X;throw new ReferenceError('there is no harness file lost.js');"));
    }

    #[test]
    fn a_script_is_evaluated_in_its_strict_form_and_a_module_is_the_cell() {
        let script = "/*---\n---*/\n'\u{2028}\\n'";
        assert!(
            cell(script).ends_with(&format!(
                "(0, eval)({});",
                serde_json::json!(format!("\"use strict\";\n{script}"))
            ))
        );
        let module = "/*---\nflags: [module]\n---*/\nexport {};";
        assert!(cell(module).ends_with(module));
    }

    #[test]
    fn a_harness_file_leaves_what_it_defines() {
        let statement = harness_statement("const a = 1;", &["a".to_owned(), "assert.b".to_owned()]);
        let source = "const a = 1;\nif (typeof a !== 'undefined') globalThis.a = a;";
        assert_eq!(statement, format!("(0, eval)({});", serde_json::json!(source)));
    }
}
