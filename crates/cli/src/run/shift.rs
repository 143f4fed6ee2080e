//! Takes back what words of ours before a cell's first line do to the places in its errors.

use carrel_contract::{CellError, CellId};

/// Moves the places of an error to where they are in what was written: `before` stands before the first line of it.
pub(super) fn take_back(error: &mut CellError, cell: &CellId, before: &str) {
    if before.is_empty() {
        return;
    }
    let columns = before.encode_utf16().count() as u32;
    if let Some(location) = error.location.as_mut().filter(|location| location.line == 1) {
        location.column = location.column.saturating_sub(columns).max(1);
    }
    // In the stacks of a persistent session each cell has a name of its own, by its number.
    let number = cell.as_str().trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0');
    error.stack = places(&error.stack, &format!("cell{number}.js:1:"), columns);
    let mut shown = false;
    let lines = error.message.split('\n').map(|line| {
        // The line of a type error, and the caret under it.
        let was_shown = std::mem::replace(&mut shown, false);
        if let Some(written) = line.trim_start().strip_prefix(before) {
            shown = true;
            format!("  {written}")
        } else if was_shown && line.trim() == "^" {
            line.replacen(&" ".repeat(before.chars().count()), "", 1)
        } else if line.starts_with("1:") && line.contains(" TS") {
            places(line, "1:", columns)
        } else {
            line.to_owned()
        }
    });
    error.message = lines.collect::<Vec<_>>().join("\n");
}

/// Moves the columns that follow `mark`.
fn places(text: &str, mark: &str, columns: u32) -> String {
    let mut pieces = text.split(mark);
    let mut moved = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (column, rest) = piece.split_at(digits);
        let column = column.parse::<u32>().map_or(1, |column| column.saturating_sub(columns).max(1));
        moved.push_str(&format!("{mark}{column}{rest}"));
    }
    moved
}

#[cfg(test)]
mod tests {
    use carrel_contract::{CellErrorKind, Location};

    use super::*;

    #[test]
    fn places_in_the_first_line_move_and_others_stay() {
        let mut error = CellError::new(CellErrorKind::Thrown, "TypeError", "x");
        error.location = Some(Location { line: 1, column: 12 });
        error.stack = "    at f (cell7.js:1:12)\n    at cell7.js:2:12\n    at cell3.js:1:12".to_owned();
        take_back(&mut error, &CellId::new("cell-7").unwrap(), "var _ = (");
        assert_eq!(error.location, Some(Location { line: 1, column: 3 }));
        assert_eq!(error.stack, "    at f (cell7.js:1:3)\n    at cell7.js:2:12\n    at cell3.js:1:12");
    }

    #[test]
    fn type_errors_show_what_was_written() {
        let message = "1 type error; nothing of the cell was run\n\n1:14 TS2304: Cannot find name 'a'.\n  var _ = (f(x,a))\n               ^";
        let mut error = CellError::new(CellErrorKind::Types, "TypeCheckError", message);
        take_back(&mut error, &CellId::new("cell-7").unwrap(), "var _ = (");
        let expected = "1 type error; nothing of the cell was run\n\n1:5 TS2304: Cannot find name 'a'.\n  f(x,a))\n      ^";
        assert_eq!(error.message, expected);
    }
}
