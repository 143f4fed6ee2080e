//! What a person is shown of a call before they answer for it.
//!
//! Two things hold. Nothing that is shown acts on a terminal or hides: each character that is not plainly visible
//! stands there as its escape. And what is left out is said outside of quotes, where no input can say it.

use std::collections::VecDeque;
use std::fmt::Write as _;

use carrel_contract::JsonText;

/// The longest string of an input that is shown whole, in bytes; of a longer one the beginning and the end.
const STRING_BYTES: usize = 240;

/// Writes text on one line, with an escape for each character that a terminal would act on or not show.
#[must_use]
pub fn printable_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut line, c));
    line
}

/// Writes the whole of an input as JSON on one line that a terminal can be shown.
#[must_use]
pub fn printable_whole(input: Option<&JsonText>) -> String {
    let mut out = String::new();
    for c in input.map_or("", JsonText::as_str).chars() {
        // Only between values: inside of strings JSON has these as escapes.
        push_json(&mut out, if c.is_ascii_whitespace() { ' ' } else { c });
    }
    out
}

/// Writes an input as JSON on one line of roughly at most `max_bytes` that a terminal can be shown.
///
/// Long strings are cut in their middle first, then the whole. What is left out is counted, outside of any quotes:
/// `"begin"…[312 more bytes]…"end"`. Escapes are JSON's own, so what is shown whole has the value that is sent.
#[must_use]
pub fn printable_input(input: Option<&JsonText>, max_bytes: usize) -> String {
    let Some(input) = input else { return String::new() };
    // Two thirds of what fits from the beginning, a third from the end, in whole tokens.
    let (mut begin, mut tokens) = (String::new(), Tokens(input.as_str()).peekable());
    while let Some(token) = tokens.peek().map(|token| shown(token)) {
        if begin.len() + token.len() > max_bytes / 3 * 2 {
            break;
        }
        begin.push_str(&token);
        tokens.next();
    }
    // An input may have millions of tokens. None is shown in less than it has, up to where strings are cut.
    let (mut end, mut size, mut left_out) = (VecDeque::new(), 0, 0);
    for token in tokens {
        end.push_back(token);
        size += token.len().min(STRING_BYTES);
        while size > max_bytes / 3 {
            let Some(token) = end.pop_front() else { break };
            size -= token.len().min(STRING_BYTES);
            left_out += token.len();
        }
    }
    let mut shown: VecDeque<String> = end.iter().map(|token| shown(token)).collect();
    while shown.iter().map(String::len).sum::<usize>() > max_bytes / 3 {
        shown.pop_front();
        left_out += end.pop_front().map_or(0, str::len);
    }
    if left_out > 0 {
        write!(begin, " …[{left_out} more bytes]… ").ok();
    }
    begin.extend(shown);
    begin
}

/// Writes one token of JSON, a long string cut in its middle.
fn shown(token: &str) -> String {
    let mut out = String::new();
    let inside = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
    match inside {
        Some(inside) if inside.len() > STRING_BYTES => {
            let head = before_escape(inside, inside.floor_char_boundary(STRING_BYTES * 2 / 3));
            let tail = inside.ceil_char_boundary(inside.len() - STRING_BYTES / 3).max(head);
            out.push('"');
            inside.get(..head).unwrap_or_default().chars().for_each(|c| push_json(&mut out, c));
            write!(out, "\"…[{} more bytes]…\"", tail - head).ok();
            inside.get(tail..).unwrap_or_default().chars().for_each(|c| push_json(&mut out, c));
            out.push('"');
        }
        Some(_) => token.chars().for_each(|c| push_json(&mut out, c)),
        // Blanks between tokens need no escape to be what they are.
        None => token.chars().for_each(|c| out.push(if c.is_ascii_whitespace() { ' ' } else { c })),
    }
    out
}

/// Moves a place out of an escape of JSON, `\n` or `\u1234`, to before it.
fn before_escape(text: &str, place: usize) -> usize {
    let bytes = text.as_bytes();
    let mut begin = 0;
    while begin < place {
        let length = match (bytes.get(begin), bytes.get(begin + 1)) {
            (Some(b'\\'), Some(b'u')) => 6,
            (Some(b'\\'), _) => 2,
            _ => 1,
        };
        if begin + length > place {
            return begin;
        }
        begin += length;
    }
    place
}

fn push(out: &mut String, c: char) {
    if visible(c) {
        out.push(c);
    } else {
        write!(out, "\\u{{{:x}}}", u32::from(c)).ok();
    }
}

fn push_json(out: &mut String, c: char) {
    if visible(c) {
        out.push(c);
    } else {
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}").ok();
        }
    }
}

/// Tells whether a character is seen, as itself, where it stands. The standard library knows what is a control, a
/// mark of format or direction, a blank other than the space, unassigned, or drawn onto its neighbour; a few letters
/// and symbols are blank as well.
fn visible(c: char) -> bool {
    match c {
        '"' | '\'' | '\\' => true,
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => false,
        _ => c.escape_debug().len() == 1,
    }
}

/// The tokens of valid JSON: strings, and what stands between them.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.0.as_bytes();
        let length = match bytes {
            [] => return None,
            [b'"', rest @ ..] => {
                let mut escaped = false;
                let closes = |b: &u8| {
                    let closes = *b == b'"' && !escaped;
                    escaped = *b == b'\\' && !escaped;
                    closes
                };
                rest.iter().position(closes).map_or(bytes.len(), |end| end + 2)
            }
            // To the next comma at most, so that a long list of numbers has places to cut at.
            _ => match bytes.iter().position(|b| matches!(b, b'"' | b',')) {
                Some(end) if bytes.get(end) == Some(&b',') => end + 1,
                Some(end) => end,
                None => bytes.len(),
            },
        };
        let (token, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str, max_bytes: usize) -> String {
        printable_input(Some(&JsonText::parse(json).unwrap()), max_bytes)
    }

    #[test]
    fn what_fits_is_shown_as_it_is() {
        for json in
            ["{}", r#"{"id":"o-1","n":[1,2.5,null,true],"t":"naïve 数 \" \\ 🙂"}"#, "\"\\\\\"", "[1, 2]"]
        {
            assert_eq!(shown(json, 1000), json);
        }
        assert_eq!(printable_input(None, 10), "");
        assert_eq!(shown("[\n1,\n\"a\"]", 100), "[ 1, \"a\"]");
    }

    #[test]
    fn what_would_act_or_hide_is_escaped_and_keeps_its_value() {
        let hostile = "a\u{202e}b\u{200b}\u{7f}\u{9b}31m\u{feff}\u{3164}e\u{301}\u{e0041}\u{a0}\u{2028}";
        let json = serde_json::to_string(&[hostile]).unwrap();
        let line = shown(&json, 1000);
        assert!(line.is_ascii(), "{line}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&line).unwrap(), [hostile]);
        let whole = printable_whole(Some(&JsonText::parse(&json).unwrap()));
        assert_eq!(whole, line);
        assert_eq!(printable_line("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\u{a}b\\u{202e}");
    }

    #[test]
    fn a_long_string_is_cut_in_its_middle_and_hides_no_other_value() {
        let json = format!(r#"{{"pad":"{}","amount":100}}"#, "x".repeat(100_000));
        let line = shown(&json, 1000);
        assert!(line.starts_with(r#"{"pad":"xxx"#) && line.ends_with(r#"x","amount":100}"#), "{line}");
        assert_eq!(printable_whole(Some(&JsonText::parse(&json).unwrap())), json);
        assert!(line.contains("x\"…[99760 more bytes]…\"x") && line.len() < 400, "{line}");
    }

    #[test]
    fn many_values_are_cut_in_their_middle() {
        let json = serde_json::to_string(&(0..100_000).collect::<Vec<_>>()).unwrap();
        let line = shown(&json, 300);
        assert!(line.starts_with("[0,1,2,") && line.ends_with(",99998,99999]") && line.len() < 350, "{line}");
        let said: usize = line.split(['[', ' ']).filter_map(|word| word.parse().ok()).next().unwrap();
        let kept: usize = line.split(" …").next().unwrap().len() + line.split("… ").nth(1).unwrap().len();
        assert_eq!(said + kept, json.len());
    }

    #[test]
    fn no_input_can_say_that_something_was_left_out() {
        let line = shown(r#"{"a":"b\"…[9 more bytes]…\"c"}"#, 1000);
        // Outside of quotes there is none: every quote of the input's is escaped.
        assert_eq!(line, r#"{"a":"b\"…[9 more bytes]…\"c"}"#);
    }

    #[test]
    fn no_escape_is_cut_in_two() {
        for pad in 0..8 {
            let text = format!("{}{}", "a".repeat(pad), "\u{1}\n\"".repeat(400));
            let line = shown(&serde_json::to_string(&text).unwrap(), 2000);
            let begin = line.split('…').next().unwrap();
            let begin: String = serde_json::from_str(begin).unwrap();
            assert!(text.starts_with(&begin) && begin.len() > 10, "{line}");
        }
    }
}
