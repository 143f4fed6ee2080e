//! Text that came from a server, made safe to stand in TypeScript: comments, strings and names.
//!
//! Nothing a server says may end a comment, act as a doc tag, or look like something else than it is.

use std::fmt::Write as _;

/// Tells whether a character is one that a reader does not see, or that moves what the reader sees.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (c.is_control() && c != '\n' && c != '\t')
}

/// Returns text as it can stand in a comment, in lines without space at their ends, cut to about `max_bytes`.
pub(super) fn comment_lines(text: &str, max_bytes: usize) -> Vec<String> {
    if max_bytes == 0 {
        return Vec::new();
    }
    let cut = text.floor_char_boundary(max_bytes);
    let shown = text.get(..cut).unwrap_or_default();
    let mut clean = String::with_capacity(shown.len());
    let mut before = ' ';
    let mut rest = shown.chars().peekable();
    while let Some(c) = rest.next() {
        let c = match c {
            '\u{2028}' | '\u{2029}' => '\n',
            '\r' if rest.peek() == Some(&'\n') => continue,
            '\r' => '\n',
            c => c,
        };
        if is_hidden(c) {
            continue;
        }
        let tag = c == '@' && !before.is_alphanumeric() && rest.peek().is_some_and(char::is_ascii_alphabetic);
        if tag || (c == '/' && before == '*') {
            clean.push('\\');
        }
        clean.push(c);
        before = c;
    }
    if cut < text.len() {
        let end = clean.trim_end().len();
        clean.truncate(end);
        clean.push('…');
    }
    let mut lines: Vec<String> = Vec::new();
    for line in clean.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line.to_owned());
        }
    }
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Returns a string as TypeScript writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{2028}' | '\u{2029}' => escape(&mut out, c),
            c if is_hidden(c) => escape(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn escape(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _infallible = write!(out, "\\u{unit:04x}");
    }
}

/// Returns a property's name as TypeScript writes it: as it is when it is an identifier.
pub(super) fn property_name(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { quoted(name) }
}

/// Returns a method's name as TypeScript writes it; `new(…)` would be a constructor.
pub(super) fn method_name(name: &str) -> String {
    if name == "new" { quoted(name) } else { property_name(name) }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().enumerate().all(|(at, byte)| {
            byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') || (at > 0 && byte.is_ascii_digit())
        })
}

/// Names that a type may not take: those of types that a cell has anyway.
const TAKEN: [&str; 49] = [
    "AbortController",
    "AbortSignal",
    "Array",
    "ArrayBuffer",
    "ArrayLike",
    "AsyncIterable",
    "Awaited",
    "BigInt",
    "Boolean",
    "ContentBlock",
    "DataView",
    "Date",
    "Error",
    "Event",
    "EventTarget",
    "Exclude",
    "Extract",
    "Function",
    "Infinity",
    "Intl",
    "Iterable",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Omit",
    "OutcomeUnknownError",
    "Partial",
    "Pick",
    "Promise",
    "PromiseLike",
    "Proxy",
    "RangeError",
    "Readonly",
    "Record",
    "Reflect",
    "RegExp",
    "Required",
    "Set",
    "String",
    "Symbol",
    "ToolError",
    "Tools",
    "TypeError",
    "URL",
    "WeakMap",
];

/// The longest name of a type, in bytes.
const MAX_TYPE_NAME_BYTES: usize = 60;

/// Returns a name for a type like `wanted`: letters and digits alone, beginning with a capital.
pub(super) fn type_name(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = String::new();
    let mut start = true;
    for c in wanted.chars() {
        if !c.is_ascii_alphanumeric() {
            start = true;
        } else if name.len() < MAX_TYPE_NAME_BYTES {
            name.push(if start { c.to_ascii_uppercase() } else { c });
            start = false;
        }
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "Type");
    }
    let free = |name: &str| !TAKEN.contains(&name) && !is_taken(name);
    if free(&name) {
        return name;
    }
    (2_u32..).map(|n| format!("{name}{n}")).find(|name| free(name)).unwrap_or(name)
}
