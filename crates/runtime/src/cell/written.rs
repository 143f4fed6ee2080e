//! What the author of a cell wrote, as opposed to what runs: JavaScript with spaces for the types of TypeScript.
//!
//! The engine has the last word on what JavaScript is. A source that does not parse here is handed to it as it is; only
//! when it refuses it, too, its error is told in the better words that were found here.

use std::borrow::Cow;

use carrel_contract::{CellError, CellErrorKind, Location};
use carrel_typescript::{Declaration, DeclarationKind, Import, Place, Problem, excerpt, prepare};

use crate::log::cut_text;

/// The most that is kept of a line that shows an error.
const EXCERPT_BYTES: usize = 1024;

/// What a cell's author wrote. It is kept for as long as the cell may turn out not to be a program.
#[derive(Debug)]
pub(crate) struct Written {
    source: String,
    imports: Vec<Import>,
    /// The variables, functions and classes that it declares.
    names: Vec<String>,
    /// Why it was handed to the engine as it is.
    problem: Option<Problem>,
}

impl Written {
    /// Makes a source ready, and returns what is to run.
    pub(crate) fn read(source: String) -> (String, Self) {
        let (code, imports, names, problem) = match prepare(&source) {
            Ok(prepared) => {
                let code = match prepared.code {
                    Cow::Borrowed(code) => code.to_owned(),
                    Cow::Owned(code) => code,
                };
                (code, prepared.imports, names(prepared.declarations), None)
            }
            Err(problem) => (source.clone(), Vec::new(), Vec::new(), Some(problem)),
        };
        (code, Self { source, imports, names, problem })
    }

    /// Returns the variables, functions and classes that it declares, each once.
    pub(crate) fn take_names(&mut self) -> Vec<String> {
        std::mem::take(&mut self.names)
    }

    /// Tells whether this is what was written.
    pub(super) fn is(&self, code: &str) -> bool {
        self.source == code
    }

    /// Returns the source.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Says more of an error that kept the cell from beginning, whose code is called `file`.
    pub(super) fn explain(self, error: &mut CellError, file: &str) {
        let place = match (error.kind, self.problem) {
            (CellErrorKind::Syntax, Some(problem)) => {
                // One that has no place says less than the engine does.
                let Some(place) = problem.place else { return };
                error.message = match problem.help {
                    Some(help) => format!("{} ({help})", problem.message),
                    None => problem.message,
                };
                place
            }
            (CellErrorKind::Syntax, None) => match error.location {
                Some(location) => Place { line: location.line, column: location.column },
                None => return,
            },
            // A module with imports fails before it runs.
            (CellErrorKind::Thrown, _) => {
                let named = self.imports.iter().find(|import| error.message.contains(&import.specifier));
                match named.or(self.imports.first()) {
                    Some(import) => import.place,
                    None => return,
                }
            }
            _ => return,
        };
        let Place { line, column } = place;
        error.location = Some(Location { line, column });
        error.stack = format!("    at {file}:{line}:{column}");
        error.excerpt = excerpt(&self.source, place).map(|shown| cut_text(&shown, EXCERPT_BYTES));
    }
}

/// Picks what there is of declarations when a program runs.
fn names(declarations: Vec<Declaration>) -> Vec<String> {
    let is_value = |kind| {
        use DeclarationKind::{Class, Const, Enum, Function, Let, Var};
        matches!(kind, Const | Let | Var | Function | Class | Enum)
    };
    let mut names: Vec<_> =
        declarations.into_iter().filter(|it| is_value(it.kind)).map(|declared| declared.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}
