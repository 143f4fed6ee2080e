//! What a person enters: a command, or a cell, perhaps in several lines.

use carrel_typescript::{Cause, prepare};

/// What is put around an expression, so that its value is shown and kept as `_`.
const BEFORE: &str = "var _ = await (";
const AFTER: &str = "\n); if (_ !== undefined) console.dir(_);";

/// A complete entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Nothing.
    Empty,
    /// `:NAME ARGUMENT`.
    Command {
        /// The name, without its colon.
        name: String,
        /// The rest of the line.
        argument: String,
    },
    /// A cell.
    Cell(Cell),
}

/// A cell as it was entered, and as it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// As it was entered.
    pub(crate) written: String,
    /// As it is run.
    pub(crate) code: String,
    /// What of ours stands before its first line.
    pub(crate) before: &'static str,
    /// What it declares at its top level.
    pub(crate) declares: Vec<String>,
}

impl Entry {
    /// Reads a complete entry.
    pub(crate) fn read(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Self::Empty;
        }
        if let Some(command) = trimmed.strip_prefix(':') {
            let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            return Self::Command { name: name.to_owned(), argument: argument.trim().to_owned() };
        }
        Self::Cell(Cell::read(text.trim_end()))
    }
}

impl Cell {
    /// Reads a cell of an earlier day, as it was run.
    pub(crate) fn restored(code: &str) -> Self {
        let entered = code.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER));
        Self::read(entered.unwrap_or(code))
    }

    fn read(written: &str) -> Self {
        let declares: Vec<_> = prepare(written)
            .map(|prepared| prepared.declarations.into_iter().map(|it| it.name).collect())
            .unwrap_or_default();
        // `function f() {}` would be an expression, too; `{}` is one, as people mean it here.
        let expression = declares.is_empty().then(|| written.trim_end_matches([';', ' ', '\t', '\n']));
        let expression =
            expression.filter(|it| !it.trim().is_empty() && prepare(&format!("({it}\n)")).is_ok());
        match expression {
            Some(expression) => Self {
                written: written.to_owned(),
                code: format!("{BEFORE}{expression}{AFTER}"),
                before: BEFORE,
                declares: vec!["_".to_owned()],
            },
            None => Self { written: written.to_owned(), code: written.to_owned(), before: "", declares },
        }
    }
}

/// Tells whether more lines belong to what was entered so far. An empty line at the end says that none do.
pub(crate) fn is_incomplete(text: &str) -> bool {
    if text.trim_start().starts_with(':') || text.trim().is_empty() || text.ends_with("\n\n") {
        return false;
    }
    // An expression may be complete where a program is not: `{ a: 1 }`.
    if prepare(&format!("({}\n)", text.trim_end().trim_end_matches(';'))).is_ok() {
        return false;
    }
    match prepare(text) {
        Ok(_) => false,
        Err(problem) if problem.cause != Cause::Syntax => false,
        // What is missing is missing at the end, unless something before it is wrong.
        Err(_) => is_open(text),
    }
}

/// Tells whether a text ends within brackets, a template or a comment, or with an operator. It knows strings and comments, not
/// regular expressions: one with a lone bracket asks for a line more.
fn is_open(text: &str) -> bool {
    let mut open = Vec::new();
    let mut chars = text.chars().peekable();
    let mut last = ' ';
    while let Some(c) = chars.next() {
        if open.last() == Some(&'`') {
            match c {
                '\\' => drop(chars.next()),
                '`' => drop(open.pop()),
                '$' if chars.next_if_eq(&'{').is_some() => open.push('{'),
                _ => {}
            }
            last = c;
            continue;
        }
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if chars.peek() == Some(&'*') => {
                let mut before = ' ';
                loop {
                    match chars.next() {
                        None => return true,
                        Some('/') if before == '*' => break,
                        Some(c) => before = c,
                    }
                }
            }
            '"' | '\'' => {
                while let Some(inner) = chars.next_if(|inner| *inner != '\n') {
                    if inner == '\\' {
                        chars.next();
                    } else if inner == c {
                        break;
                    }
                }
            }
            '(' | '[' | '{' | '`' => open.push(c),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
        if !c.is_whitespace() {
            last = c;
        }
    }
    !open.is_empty() || "=+-*/%&|^?:.,<>!~".contains(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> Cell {
        match Entry::read(text) {
            Entry::Cell(cell) => cell,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_cells_and_nothing_are_told_apart() {
        assert_eq!(Entry::read(" \n"), Entry::Empty);
        let command = |name: &str, argument: &str| Entry::Command {
            name: name.to_owned(),
            argument: argument.to_owned(),
        };
        assert_eq!(Entry::read(":tools  list or\n"), command("tools", "list or"));
        assert_eq!(Entry::read(":quit"), command("quit", ""));
    }

    #[test]
    fn the_value_of_an_expression_is_shown() {
        for expression in ["1 + 1", "{ a: 1 }", "await tools.x({});", "a // why", "() => 1", "(1,\n2)"] {
            assert_eq!(cell(expression).before, BEFORE, "{expression}");
            assert!(prepare(&cell(expression).code).is_ok(), "{expression}");
        }
    }

    #[test]
    fn statements_run_as_they_are() {
        for statement in
            ["const a = 1", "function f() {}", "if (a) b()", "class C {}", "a; b", "let x: number = 1"]
        {
            assert_eq!(cell(statement).code, statement);
        }
        assert_eq!(cell("const { a, b: [c] } = d").declares, ["a", "c"]);
    }

    #[test]
    fn what_was_run_tells_what_was_entered() {
        for entered in ["1 + 1; // why", "const a = 1", "({ a: 1 })"] {
            assert_eq!(Cell::restored(&cell(entered).code).before, cell(entered).before);
        }
        assert_eq!(Cell::restored(&cell("a\n+ b").code), cell("a\n+ b"));
    }

    #[test]
    fn what_is_begun_is_incomplete() {
        for text in
            ["f(", "function f() {", "const a =", "`a ${b", "/* x", "[1,", "a.\n", "if (a) {\n  b()\n"]
        {
            assert!(is_incomplete(text), "{text}");
        }
        for text in [
            "f()",
            "const a = 1",
            "const = 1",
            "f(]",
            "'abc",
            ":tools",
            "",
            "f(\n\n",
            "{ a: 1 }",
            "/[(]/.test('x')",
        ] {
            assert!(!is_incomplete(text), "{text}");
        }
    }
}
