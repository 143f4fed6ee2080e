//! Text from an upstream may end up on a terminal; nothing in it may command one.

/// Drops what could move a terminal's cursor or colour what follows.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if chars.next_if_eq(&'[').is_some() {
                while chars.next_if(|c| !matches!(c, '@'..='~')).is_some() {}
                chars.next();
            }
        } else if c == '\n' || c == '\t' || !c.is_control() {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_and_drops_commands() {
        for (text, kept) in [
            ("plain ü\n\ttext", "plain ü\n\ttext"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("a\rb\u{7}c\u{8}", "abc"),
            ("\u{1b}]0;title\u{7}x", "]0;titlex"),
            ("\u{9b}31mx\u{1b}", "31mx"),
        ] {
            assert_eq!(printable(text), kept);
        }
    }
}
