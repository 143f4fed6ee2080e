//! Shows a cell's error: the line it came from with a caret under it, what may help, and the stack.

use std::fmt;
use std::time::Duration;

use carrel_contract::{CellError, CellErrorKind, Location};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::source::Source;
use crate::sanitize::{push, sanitize, sanitize_line};
use crate::terminal::{Look, Tone};
use crate::units::{show_bytes, show_duration};

/// The most characters of one source line that are shown.
const LINE_CHARS: usize = 160;
/// What a cell is called in its own stack traces, where people want the name of their file.
const NAME_IN_STACK: &str = "cell.js:";
/// The most frames of a stack that are shown.
const FRAMES: usize = 12;

/// The memory a cell had, and the most it could have had, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) given: usize,
    pub(crate) most: usize,
}

/// Writes the error for a terminal, or for a file. The text is harmless. `memory` is
/// what the cell had.
pub(crate) fn cell_error(error: &CellError, source: &Source, memory: Memory, look: Look) -> String {
    if error.kind == CellErrorKind::Types {
        return type_errors(error, look);
    }
    let snippet = error.location.and_then(|location| Snippet::cut(source, location));
    let shown = Shown { message: sanitize(&title(error)).into_owned(), help: None, snippet };
    let mut report = render(&shown, look);
    // Without the source at hand, what the session showed of it.
    if let (None, Some(excerpt)) = (&shown.snippet, &error.excerpt) {
        for line in excerpt.lines() {
            report.push_str(&format!("\n    {}", sanitize_line(line)));
        }
    }
    for frame in stack_below(error) {
        let frame = frame.trim().replace(NAME_IN_STACK, &format!("{}:", source.name));
        let frame = format!("    {}", sanitize_line(&frame));
        report.push('\n');
        report.push_str(&if look.colour { Tone::Dim.paint(&frame) } else { frame });
    }
    // Last, below the stack, because it is what to read when nothing else is.
    if let Some(help) = help(error, memory) {
        report.push_str(&format!("\n  help: {help}"));
    }
    report
}

/// Writes why a cell failed its check: the message has a line of the source for each error.
fn type_errors(error: &CellError, look: Look) -> String {
    let (title, details) = error.message.split_once("\n\n").unwrap_or((error.message.as_str(), ""));
    let shown = Shown { message: sanitize_line(title), help: None, snippet: None };
    let mut report = render(&shown, look);
    for line in details.lines() {
        let line = format!("  {}", sanitize_line(line));
        report.push('\n');
        report.push_str(line.trim_end());
    }
    report
}

/// Writes a fault that has no place in the source.
pub(crate) fn fault(message: &str, help: Option<String>, look: Look) -> String {
    render(&Shown { message: sanitize(message).into_owned(), help, snippet: None }, look)
}

/// Writes why a cell that used up its CPU time was ended.
pub(crate) fn cpu_time(limit: Duration, look: Look) -> String {
    let message = format!("the cell was terminated: it used more CPU time than its {}", show_duration(limit));
    fault(&message, Some("look for a loop that does not end; `--cpu-time` gives the cell more".into()), look)
}

fn title(error: &CellError) -> String {
    match (error.name.as_str(), error.message.as_str()) {
        ("", "") => "the cell failed without a message".into(),
        ("", message) => message.into(),
        (name, "") => name.into(),
        (name, message) => format!("{name}: {message}"),
    }
}

fn help(error: &CellError, memory: Memory) -> Option<String> {
    match error.kind {
        CellErrorKind::OutOfMemory if memory.given >= memory.most => Some(format!(
            "the cell may use {}, which is the most a cell can have: it has to hold less at a time",
            show_bytes(memory.given),
        )),
        CellErrorKind::OutOfMemory => Some(format!(
            "the cell may use {}; `--memory` gives it more, as in `--memory {}`",
            show_bytes(memory.given),
            show_bytes(memory.given.saturating_mul(2).min(memory.most)).replace(' ', ""),
        )),
        CellErrorKind::Unsettled => Some("look for a `resolve` that is never called".into()),
        CellErrorKind::StackExhausted => Some(
            "the cell could not catch this: look for JSON nested a hundred thousand deep, or a very long linked list"
                .into(),
        ),
        CellErrorKind::Trap => Some(
            "this is a fault of Carrel's engine, not of the cell; no other cell was harmed. Please report it \
             with the cell"
                .into(),
        ),
        _ => None,
    }
}

/// Returns the frames that the caret does not already show.
fn stack_below(error: &CellError) -> impl Iterator<Item = &str> {
    let frames: Vec<_> = error.stack.lines().filter(|line| !line.trim().is_empty()).collect();
    // One frame is the place under the caret, and no more than that.
    let skip = if frames.len() == 1 && error.location.is_some() { 1 } else { 0 };
    frames.into_iter().skip(skip).take(FRAMES)
}

fn render(shown: &Shown, look: Look) -> String {
    let styles = if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    let mut report = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_context_lines(1)
        .with_links(false);
    if handler.render_report(&mut report, shown).is_err() {
        return shown.message.clone();
    }
    report.trim_matches('\n').to_owned()
}

/// An error as miette wants it.
#[derive(Debug)]
struct Shown {
    message: String,
    help: Option<String>,
    snippet: Option<Snippet>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.snippet.as_ref().map(|snippet| snippet as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let snippet = self.snippet.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, snippet.span))))
    }
}

/// The line of an error and its neighbours, harmless and not too long, with the place marked.
#[derive(Debug)]
struct Snippet {
    name: String,
    /// The lines, with those before them left out.
    text: String,
    /// The lines left out.
    lines_before: usize,
    /// The marked place in `text`, in bytes.
    span: SourceSpan,
    /// The place in the source itself, as JavaScript counts it.
    location: Location,
}

impl Snippet {
    /// Cuts out the place; `None` when the source has no such line.
    fn cut(source: &Source, location: Location) -> Option<Self> {
        let line_index = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let first = line_index.saturating_sub(1);
        let mut text = String::new();
        let mut span = None;
        for (index, line) in source.text.lines().enumerate().skip(first).take(3) {
            let from = text.len();
            if index == line_index {
                let (start, length) = mark(line, location.column, &mut text);
                span = Some(SourceSpan::new((from + start).into(), length));
            } else {
                line.chars().take(LINE_CHARS).for_each(|c| push(&mut text, c));
            }
            text.push('\n');
        }
        // An error at the end of a file may lie after its last line: the empty line that an editor shows there.
        if span.is_none() && line_index == source.text.lines().count() {
            span = Some(SourceSpan::new(text.len().into(), 0));
            text.push('\n');
        }
        let name = sanitize_line(&source.name);
        span.map(|span| Self { name, text, lines_before: first, span, location })
    }
}

/// Appends a line, cut around a column if it is long, and returns the byte offset and length of what stands there.
fn mark(line: &str, column: u32, text: &mut String) -> (usize, usize) {
    // The column counts UTF-16 units from 1; the mark needs characters from 0.
    let mut units = column.saturating_sub(1) as usize;
    let at = line.chars().take_while(|c| take(&mut units, c.len_utf16())).count();
    // The place of a call on a member is its dot; what was called is the word behind it.
    let dot = line.chars().skip(at).take_while(|c| matches!(c, '?' | '.')).take(2).count();
    let name = line.chars().skip(at + dot).take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    let word = dot + name.count();
    let skipped =
        if at > LINE_CHARS / 2 && line.chars().nth(LINE_CHARS).is_some() { at - LINE_CHARS / 2 } else { 0 };

    let begin = text.len();
    let (mut start, mut end) = (None, None);
    if skipped > 0 {
        text.push('…');
    }
    for (index, c) in line.chars().enumerate().skip(skipped).take(LINE_CHARS) {
        if index == at {
            start = Some(text.len());
        }
        if index == at + word.max(1) {
            end = Some(text.len());
        }
        push(text, c);
    }
    let start = start.unwrap_or(text.len());
    let end = end.unwrap_or(text.len());
    (start - begin, end - start)
}

/// Takes `some` from `left`, if there is that much.
fn take(left: &mut usize, some: usize) -> bool {
    let enough = *left >= some;
    *left = left.saturating_sub(some);
    enough
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.as_str().read_span(span, context_lines_before, context_lines_after)?;
        // The place itself is asked for without context; what is printed is where it is in the source.
        let (line, column) = if context_lines_before == 0 && *span == self.span {
            (self.location.line.saturating_sub(1) as usize, self.location.column.saturating_sub(1) as usize)
        } else {
            (contents.line() + self.lines_before, contents.column())
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            line,
            column,
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { colour: false, width: 100 };
    const MEMORY: Memory = Memory { given: 64 << 20, most: 512 << 20 };

    fn source(text: &str) -> Source {
        Source { name: "cell.js".into(), text: text.into(), folder: None }
    }

    fn thrown(line: u32, column: u32) -> CellError {
        let mut error = CellError::new(CellErrorKind::Thrown, "TypeError", "no such thing");
        error.location = Some(Location { line, column });
        error
    }

    /// Returns the shown line of the error and what stands over each mark below it.
    fn marked(report: &str) -> (String, String) {
        let lines: Vec<_> = report.lines().collect();
        let at = lines
            .iter()
            .position(|l| l.contains('┬') || l.contains('─') && l.contains('·') || l.contains('▲'));
        let at = at.unwrap_or_else(|| panic!("no mark in\n{report}"));
        let over: String = lines[at]
            .chars()
            .zip(lines[at - 1].chars())
            .filter(|(m, _)| "─┬▲".contains(*m))
            .map(|(_, c)| c)
            .collect();
        (lines[at - 1].to_owned(), over)
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        let report =
            cell_error(&thrown(2, 7), &source("let a = 1;\nawait nothing();\nlet b = 2;"), MEMORY, LOOK);
        assert_eq!(marked(&report).1, "nothing", "{report}");
        assert!(report.contains("TypeError: no such thing"), "{report}");
        assert!(report.contains("cell.js:2:7"), "{report}");
    }

    #[test]
    fn columns_count_utf16_units() {
        // The two faces are four units and two characters.
        let report = cell_error(&thrown(1, 11), &source("'🙂🙂'; /**/nothing()"), MEMORY, LOOK);
        assert!(report.contains("cell.js:1:11"), "{report}");
        let (start, length) = mark("'🙂🙂'; nothing()", 9, &mut String::new());
        assert_eq!(&"'🙂🙂'; nothing()"[start..start + length], "nothing");
    }

    #[test]
    fn a_dot_is_marked_with_what_it_calls() {
        for (line, column, marked) in [
            ("a.b(c)", 2, ".b"),
            ("a?.b(c)", 2, "?.b"),
            ("a .b", 2, " "),
            ("a.", 2, "."),
            ("[...a]", 2, ".."),
        ] {
            let mut text = String::new();
            let (start, length) = mark(line, column, &mut text);
            assert_eq!(&text[start..start + length], marked, "{line}");
        }
    }

    #[test]
    fn a_message_is_wrapped_at_the_width() {
        let message = "word ".repeat(50);
        for width in [40, 100] {
            let report = fault(&message, None, Look { colour: false, width });
            let longest = report.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= width && longest > width - 10, "{width}: {report}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let line = format!("{}nothing(){}", "a+".repeat(5_000), "+b".repeat(5_000));
        let report = cell_error(&thrown(1, 10_001), &source(&line), MEMORY, LOOK);
        assert!(report.contains("cell.js:1:10001"), "{report}");
        assert_eq!(marked(&report).1, "nothing");
        assert!(report.lines().all(|l| l.chars().count() < 200), "{report}");
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        let mut error = thrown(1, 5);
        error.message = "\x1b[2Jgone".into();
        error.stack = "at \x1b[31mf\nat g".into();
        let report = cell_error(&error, &source("'\x1b]';nothing()"), MEMORY, LOOK);
        assert!(!report.contains('\x1b'), "{report}");
        assert!(report.contains("␛[2Jgone") && report.contains("at ␛[31mf"), "{report}");
    }

    #[test]
    fn a_place_outside_the_source_is_left_out() {
        for (line, column) in [(0, 0), (9, 9), (1, 0), (1, 4_000_000_000), (2, 1), (u32::MAX, 1)] {
            let report = cell_error(&thrown(line, column), &source("short\n"), MEMORY, LOOK);
            assert!(report.contains("no such thing"), "{report}");
        }
        cell_error(&thrown(1, 1), &source(""), MEMORY, Look { colour: true, ..LOOK });
    }

    #[test]
    fn help_names_the_flag() {
        let error = CellError::new(CellErrorKind::OutOfMemory, "InternalError", "out of memory");
        let report = cell_error(&error, &source(""), MEMORY, LOOK);
        assert!(report.contains("--memory 128MiB"), "{report}");
        let report = cell_error(&error, &source(""), Memory { given: 300 << 20, ..MEMORY }, LOOK);
        assert!(report.contains("--memory 512MiB"), "{report}");
        let report = cell_error(&error, &source(""), Memory { given: 512 << 20, ..MEMORY }, LOOK);
        assert!(!report.contains("--memory") && report.contains("512 MiB, which is the most"), "{report}");
        assert!(cpu_time(Duration::from_millis(200), LOOK).contains("--cpu-time"));
    }

    #[test]
    fn one_frame_says_no_more_than_the_caret() {
        let mut error = thrown(1, 1);
        error.stack = "    at <anonymous> (cell.js:1:1)".into();
        assert!(!cell_error(&error, &source("x"), MEMORY, LOOK).contains("anonymous"));
        error.stack.push_str("\n    at f (cell.js:1:1)");
        let mut source = source("x");
        source.name = "report.js".into();
        assert!(cell_error(&error, &source, MEMORY, LOOK).contains("    at f (report.js:1:1)"));
    }
}
