//! Makes text that others wrote harmless to a terminal.
//!
//! A cell, a tool or a server may print anything: escape sequences that move the cursor, rename the window
//! or write to the clipboard, and marks that reorder what is shown. Each such character is replaced by one
//! that shows it. Newlines and tabs stay.

use std::borrow::Cow;

/// Replaces every character that a terminal would act on.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // A line end as Windows writes it is a line end.
        if !(c == '\r' && rest.peek() == Some(&'\n')) {
            push(&mut clean, c);
        }
    }
    Cow::Owned(clean)
}

/// Makes text one harmless line: line ends and tabs are shown as spaces.
pub(crate) fn sanitize_line(text: &str) -> String {
    sanitize(text).replace(['\n', '\t'], " ")
}

/// Appends one character, or what shows it.
pub(crate) fn push(clean: &mut String, c: char) {
    if !acts(c) {
        clean.push(c);
        return;
    }
    let code = u32::from(c);
    // The block "Control Pictures" has a picture for each of the ASCII controls.
    let picture = match code {
        0..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    match picture {
        Some(picture) => clean.push(picture),
        None => clean.extend(c.escape_unicode()),
    }
}

/// Escapes in JSON text what JSON itself lets through: controls beyond ASCII and marks of direction. The
/// value stays the same.
pub(crate) fn sanitize_json(json: &str) -> Cow<'_, str> {
    let escape = |c: char| acts(c) && !c.is_ascii();
    if !json.chars().any(escape) {
        return Cow::Borrowed(json);
    }
    let mut clean = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if escape(c) {
            clean.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

fn acts(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Marks, embeddings, overrides and isolates of direction; line and paragraph separators.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_ordinary_text_alone() {
        let text = "naïve\ttab\nline 数 🙂";
        assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn shows_what_a_terminal_would_act_on() {
        assert_eq!(sanitize("\x1b]0;pwned\x07"), "␛]0;pwned␇");
        assert_eq!(sanitize("a\u{9b}31mb\u{7f}"), "a\\u{9b}31mb␡");
        assert_eq!(sanitize("safe\rgone"), "safe␍gone");
        assert_eq!(sanitize("one\r\ntwo"), "one\ntwo");
        assert_eq!(sanitize("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(sanitize_line("a\nb\tc\x1b"), "a b c␛");
    }

    #[test]
    fn json_keeps_its_value() {
        let json = serde_json::to_string("a\u{9b}b\u{202e}\x1b\n").unwrap();
        let clean = sanitize_json(&json);
        assert!(clean.is_ascii(), "{clean}");
        assert_eq!(serde_json::from_str::<String>(&clean).unwrap(), "a\u{9b}b\u{202e}\x1b\n");
    }
}
