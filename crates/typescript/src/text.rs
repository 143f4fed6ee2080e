//! Places in a source as people and V8 count them, and the line that shows one.

use std::ops::Range;

/// A place in a source, both counted from 1; the column in UTF-16 code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// The most characters of a line that an excerpt shows.
const EXCERPT_CHARS: usize = 120;

/// Tells whether a character ends a line in JavaScript.
pub(crate) fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// Returns the place of a byte offset, which may lie behind the end or within a character.
pub(crate) fn place(source: &str, offset: usize) -> Place {
    let offset = source.floor_char_boundary(offset.min(source.len()));
    let (mut line, mut column) = (1, 1);
    let mut after_return = false;
    for c in source.get(..offset).unwrap_or_default().chars() {
        if c == '\n' && after_return {
            after_return = false;
            continue;
        }
        after_return = c == '\r';
        if ends_line(c) {
            line += 1;
            column = 1;
        } else {
            column += c.len_utf16() as u32;
        }
    }
    Place { line, column }
}

/// Returns a source's line with a caret under the column; a long line is cut around it. Control characters, which would
/// move the caret or worse, are shown as spaces. `None` when there is no such line.
#[must_use]
pub fn excerpt(source: &str, place: Place) -> Option<String> {
    let line = source.get(line_range(source, place.line)?)?;
    let mut units = place.column.saturating_sub(1) as usize;
    let at = line.chars().take_while(|c| take(&mut units, c.len_utf16())).count();
    let skipped = at.saturating_sub(EXCERPT_CHARS * 2 / 3);
    let mut shown = String::new();
    let mut caret = String::new();
    if skipped > 0 {
        shown.push('…');
        caret.push(' ');
    }
    let mut rest = line.chars().skip(skipped);
    for (index, c) in rest.by_ref().take(EXCERPT_CHARS).enumerate() {
        shown.push(if c.is_control() { ' ' } else { c });
        if index + skipped < at {
            caret.push(' ');
        }
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    caret.push('^');
    Some(format!("{}\n{caret}", shown.trim_end()))
}

fn take(left: &mut usize, some: usize) -> bool {
    let enough = *left >= some;
    *left = left.saturating_sub(some);
    enough
}

fn line_range(source: &str, line: u32) -> Option<Range<usize>> {
    let mut start = 0;
    for _ in 1..line {
        let rest = source.get(start..)?;
        let (at, end) = rest.char_indices().find(|(_, c)| ends_line(*c))?;
        start += at + end.len_utf8();
        if end == '\r' && source.get(start..)?.starts_with('\n') {
            start += 1;
        }
    }
    let length = source.get(start..)?.find(ends_line).unwrap_or(source.len() - start);
    Some(start..start + length)
}

/// Returns where the next token begins: behind white space and comments.
pub(crate) fn skip_trivia(source: &str, from: u32) -> u32 {
    let mut at = from as usize;
    loop {
        let rest = source.get(at..).unwrap_or_default();
        let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        at += rest.len() - trimmed.len();
        at += if trimmed.starts_with("//") {
            trimmed.find(ends_line).unwrap_or(trimmed.len())
        } else if trimmed.starts_with("/*") {
            trimmed.get(2..).and_then(|body| body.find("*/")).map_or(trimmed.len(), |end| end + 4)
        } else {
            return at as u32;
        };
    }
}

/// Returns the word that begins at an offset; empty when none does.
pub(crate) fn word_at(source: &str, at: u32) -> &str {
    let rest = source.get(at as usize..).unwrap_or_default();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_utf16_columns() {
        let source = "a\r\nb\u{2028}😀c\rd";
        let at = |c| place(source, source.find(c).unwrap());
        assert_eq!(at('b'), Place { line: 2, column: 1 });
        assert_eq!(at('c'), Place { line: 3, column: 3 });
        assert_eq!(at('d'), Place { line: 4, column: 1 });
        assert_eq!(place(source, 1000), Place { line: 4, column: 2 });
    }

    #[test]
    fn shows_the_line_with_a_caret() {
        let place = Place { line: 2, column: 5 };
        assert_eq!(excerpt("first\nlet 😀 = 1;\nlast", place).unwrap(), "let 😀 = 1;\n    ^");
        assert_eq!(excerpt("\tx\u{1b}[2J", Place { line: 1, column: 2 }).unwrap(), " x [2J\n ^");
        assert_eq!(excerpt("one", Place { line: 2, column: 1 }), None);
        assert_eq!(excerpt("one\n", Place { line: 2, column: 1 }).unwrap(), "\n^");
    }

    #[test]
    fn cuts_a_long_line_around_the_caret() {
        let line = format!("{}!{}", "a".repeat(1000), "b".repeat(1000));
        let shown = excerpt(&line, Place { line: 1, column: 1001 }).unwrap();
        let (text, caret) = shown.split_once('\n').unwrap();
        assert!(text.chars().count() <= EXCERPT_CHARS + 2, "{text}");
        assert_eq!(text.chars().nth(caret.chars().count() - 1), Some('!'));
        assert!(text.starts_with('…') && text.ends_with('…'));
    }
}
