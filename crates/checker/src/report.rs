//! What of the compiler's answer a model is told.
//!
//! Not all that TypeScript says of a project helps with a cell: what is left out here is no error when the cell runs, or
//! is said better by the engine before anything happens.

use carrel_contract::{Location, TypeDiagnostic};
use carrel_typescript::Place;
use serde::Deserialize;

use crate::project::Project;

/// The most diagnostics of a cell.
const MAX_DIAGNOSTICS: usize = 100;
/// The most characters of one's message.
const MAX_CHARS: usize = 800;
/// The category of errors, beside warnings, suggestions and messages.
const ERROR: u32 = 1;

/// A diagnostic as the compiler has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Raw {
    file_name: Option<String>,
    /// In UTF-16 code units from the beginning of the file.
    pos: u32,
    code: u32,
    category: u32,
    text: String,
    #[serde(default)]
    message_chain: Vec<Link>,
}

/// What explains a diagnostic further.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    text: String,
    #[serde(default)]
    message_chain: Vec<Link>,
}

/// Picks what there is to say of the cell of a project.
pub(crate) fn pick(raw: Vec<Raw>, source: &str, project: &Project) -> Vec<TypeDiagnostic> {
    let end = source.encode_utf16().count();
    let mut own: Vec<_> = raw
        .into_iter()
        .filter(|raw| raw.category == ERROR && raw.file_name.as_deref() == Some(&project.cell))
        // Behind its end are the lines of ours.
        .filter(|raw| (raw.pos as usize) < end && !is_left_out(raw, &project.cell))
        .collect();
    own.sort_by_key(|raw| (raw.pos, raw.code));
    own.dedup_by_key(|raw| (raw.pos, raw.code));
    own.truncate(MAX_DIAGNOSTICS);
    let locations = locations(source, own.iter().map(|raw| raw.pos));
    own.iter()
        .zip(locations)
        // A module that is not there: the engine refuses such a cell before it runs, and says what a cell has instead.
        .filter(|(_, at)| !project.imports.contains(&Place { line: at.line, column: at.column }))
        .map(|(raw, at)| TypeDiagnostic::new(at, format!("TS{}", raw.code), message(raw)))
        .collect()
}

fn is_left_out(raw: &Raw, path: &str) -> bool {
    match raw.code {
        // An `any` that nobody wrote.
        7000..=7999 => true,
        // A variable of an earlier cell, which is an import to the compiler alone.
        2632 => true,
        // Arithmetic with what becomes a number, dates above all, is nothing strange in JavaScript.
        2362 | 2363 => path.ends_with(".js"),
        _ => false,
    }
}

fn message(raw: &Raw) -> String {
    // "Do you need to install type definitions for node?", "… change your target library?": there is neither.
    let text = raw.text.split(" Do you need to ").next().unwrap_or_default();
    let mut message = text.to_owned();
    let mut chain: Vec<_> = raw.message_chain.iter().map(|link| (1, link)).rev().collect();
    while let Some((depth, link)) = chain.pop() {
        message.push('\n');
        message.push_str(&"  ".repeat(depth));
        message.push_str(&link.text);
        chain.extend(link.message_chain.iter().map(|link| (depth + 1, link)).rev());
    }
    if let Some((cut, _)) = message.char_indices().nth(MAX_CHARS) {
        message.truncate(cut);
        message.push('…');
    }
    message
}

/// Returns the locations of positions, which are sorted.
fn locations(source: &str, positions: impl Iterator<Item = u32>) -> Vec<Location> {
    let mut positions = positions.peekable();
    let mut found = Vec::new();
    let (mut unit, mut line, mut column) = (0, 1, 1);
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        while positions.next_if(|position| *position <= unit).is_some() {
            found.push(Location { line, column });
        }
        let units = c.len_utf16() as u32;
        unit += units;
        column += units;
        let ends_line = match c {
            '\r' => chars.peek() != Some(&'\n'),
            c => matches!(c, '\n' | '\u{2028}' | '\u{2029}'),
        };
        if ends_line {
            line += 1;
            column = 1;
        }
    }
    found.extend(positions.map(|_| Location { line, column }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(pos: u32, code: u32, text: &str) -> Raw {
        let text = text.to_owned();
        Raw {
            file_name: Some("/cell.ts".to_owned()),
            pos,
            code,
            category: ERROR,
            text,
            message_chain: Vec::new(),
        }
    }

    #[test]
    fn lines_and_columns_are_those_of_the_cell() {
        let source = "é😀 a\r\nb\u{2028}c\nd";
        let found = locations(source, [0, 1, 4, 7, 9, 11].into_iter());
        let found: Vec<_> = found.iter().map(|at| (at.line, at.column)).collect();
        assert_eq!(found, [(1, 1), (1, 2), (1, 5), (2, 1), (3, 1), (4, 1)]);
    }

    fn project(imports: &[(u32, u32)]) -> Project {
        let imports = imports.iter().map(|(line, column)| Place { line: *line, column: *column }).collect();
        Project { config: String::new(), cell: "/cell.ts".to_owned(), files: Vec::new(), imports }
    }

    #[test]
    fn advice_that_a_cell_cannot_follow_is_left_out() {
        let text = "Cannot find name 'process'. Do you need to install type definitions for node? Try npm.";
        let raw = vec![raw(0, 2591, text), raw(16, 2591, "x")];
        let picked = pick(raw, "process; import \"fs\"", &project(&[(1, 17)]));
        let messages: Vec<_> = picked.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(messages, ["Cannot find name 'process'."]);
    }

    #[test]
    fn what_lies_behind_the_cell_is_ours() {
        assert!(pick(vec![raw(5, 2345, "x")], "a();", &project(&[])).is_empty());
        assert_eq!(pick(vec![raw(4, 2345, "x")], "a();x", &project(&[])).len(), 1);
    }
}
