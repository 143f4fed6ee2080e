//! The first sentence of a description: what a line has room for.

/// Returns what stands before the end of the first sentence or paragraph, on one line, at most so many characters; a
/// longer one is cut at a word and ends in `…`. Control characters become spaces.
///
/// ```
/// use carrel_catalogue::summary;
///
/// assert_eq!(summary("Lists orders, e.g. open ones. The newest come first.", 80), "Lists orders, e.g. open ones.");
/// assert_eq!(summary("\n Lists\torders\n\nof one customer", 80), "Lists orders");
/// assert_eq!(summary("Lists all orders", 12), "Lists all…");
/// ```
#[must_use]
pub fn summary(description: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    let mut empty_lines = 0;
    for word in words(description) {
        match word {
            Word::LineBreak if line.is_empty() => {}
            Word::LineBreak => {
                empty_lines += 1;
                // One line break is only how the text was set, two end a paragraph.
                if empty_lines > 1 {
                    break;
                }
            }
            Word::Letters(letters) => {
                empty_lines = 0;
                let more = letters.chars().count() + usize::from(!line.is_empty());
                if chars + more > max_chars {
                    return cut(&line, letters, max_chars);
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(letters);
                chars += more;
                if ends_sentence(letters) {
                    break;
                }
            }
        }
    }
    line
}

enum Word<'a> {
    Letters(&'a str),
    LineBreak,
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split('\n').enumerate().flat_map(|(number, line)| {
        let letters = line.split(|c: char| c.is_whitespace() || c.is_control());
        let letters = letters.filter(|word| !word.is_empty()).map(Word::Letters);
        (number > 0).then_some(Word::LineBreak).into_iter().chain(letters)
    })
}

/// Tells `Sends it.` from `e.g.` and `1.5.`: what stands before the full stop is a word without another in it.
fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', ')', '`', '*']);
    match word.strip_suffix('.') {
        Some(word) => !word.contains('.') && !matches!(word, "" | "etc" | "vs" | "approx" | "incl" | "No"),
        None => word.ends_with(['!', '?', '\u{3002}']),
    }
}

/// Ends a line that has no room for the next word.
fn cut(line: &str, word: &str, max_chars: usize) -> String {
    let mut shown = line.to_owned();
    if shown.is_empty() {
        shown.extend(word.chars().take(max_chars.saturating_sub(1)));
    }
    while shown.chars().count() >= max_chars.max(1) {
        shown.pop();
    }
    shown.truncate(shown.trim_end_matches([' ', ',', ';', ':', '(']).len());
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_long_first_word_is_cut_within_it() {
        assert_eq!(summary(&"x".repeat(100), 5), "xxxx…");
        assert_eq!(summary("a bc", 3), "a…");
        assert_eq!(summary("", 5), "");
        assert_eq!(summary("abc", 0), "…");
    }

    #[test]
    fn a_sentence_ends_where_a_reader_would_say() {
        for (text, first) in [
            ("Uses v1.5. of the API. More.", "Uses v1.5. of the API."),
            ("Reads (a file). Then", "Reads (a file)."),
            ("Is it?\nYes", "Is it?"),
            ("One\nline\nof text. More", "One line of text."),
            ("esc\u{1b}[31m red", "esc [31m red"),
            ("Title\n\nBody.", "Title"),
        ] {
            assert_eq!(summary(text, 100), first);
        }
    }
}
