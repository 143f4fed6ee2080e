//! The text of CLDR's date patterns: letters that stand for fields, repeated for their width, and literals in quotes.

/// Rewrites each field of a pattern; `field` is given its letter and how often it stands there, and returns both anew.
pub(super) fn rewrite(pattern: &str, mut field: impl FnMut(char, usize) -> (char, usize)) -> String {
    let mut written = String::new();
    let mut letters = pattern.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            is_quoted = !is_quoted;
        }
        if is_quoted || !letter.is_ascii_alphabetic() {
            written.push(letter);
            continue;
        }
        let mut count = 1;
        while letters.next_if_eq(&letter).is_some() {
            count += 1;
        }
        let (letter, count) = field(letter, count);
        written.extend(std::iter::repeat_n(letter, count));
    }
    written
}

/// Returns the fields of a pattern: each letter and how often it stands there.
pub(super) fn fields(pattern: &str) -> Vec<(char, usize)> {
    let mut found = Vec::new();
    rewrite(pattern, |letter, count| {
        found.push((letter, count));
        (letter, count)
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_rewritten_and_literals_are_kept() {
        let doubled = |letter, count| (letter, count * 2);
        assert_eq!(rewrite("d 'de' MMM h 'o''clock'", doubled), "dd 'de' MMMMMM hh 'o''clock'");
        assert_eq!(fields("EEE, d. MMM y"), [('E', 3), ('d', 1), ('M', 3), ('y', 1)]);
    }
}
