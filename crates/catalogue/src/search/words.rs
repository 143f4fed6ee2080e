//! Text as words: split at what is no letter and where the case changes, folded, shortened to a stem.

/// No word is kept longer than this, in bytes.
const MAX_BYTES: usize = 40;

/// Hands each word of a text to `each`, in lower case: `listOpenPRs`, `list_open_prs` and `List open PRs!` have the
/// same. Reads no more than `max_bytes` of it.
pub(super) fn split(text: &str, max_bytes: usize, mut each: impl FnMut(&str)) {
    let mut word = String::new();
    let mut flush = |word: &mut String| {
        if !word.is_empty() {
            each(word);
            word.clear();
        }
    };
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if at >= max_bytes {
            break;
        }
        if !c.is_alphanumeric() {
            // An apostrophe stands within a word: `user's`.
            let within = c == '\'' && before.is_some_and(char::is_alphanumeric);
            if !within {
                flush(&mut word);
            }
            before = None;
            continue;
        }
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        let begins = before.is_some_and(|before: char| {
            (c.is_uppercase() && before.is_lowercase())
                // The last capital of a row begins a word (`HTTPServer`), but for the `s` of a plural (`PRs`).
                || (c.is_uppercase()
                    && before.is_uppercase()
                    && next_is_lower
                    && !is_plural_end(text, at + c.len_utf8()))
        });
        if begins {
            flush(&mut word);
        }
        if word.len() < MAX_BYTES {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    flush(&mut word);
}

/// Tells whether a word's last letter, an `s`, stands here.
fn is_plural_end(text: &str, at: usize) -> bool {
    let mut rest = text.get(at..).unwrap_or_default().chars();
    rest.next() == Some('s')
        && rest.next().is_none_or(|after| !after.is_alphanumeric() || after.is_uppercase())
}

/// Returns the words of a text.
pub(super) fn words(text: &str, max_bytes: usize) -> Vec<String> {
    let mut words = Vec::new();
    split(text, max_bytes, |word| words.push(word.to_owned()));
    words
}

/// Cuts off what English adds to a word: plurals, `-ing`, `-ed`, `-ion` and a last `e`. What is left need not be a
/// word, as long as the forms of one come to the same: `creates`, `creating`, `created` and `creation` to `creat`.
pub(super) fn stem(word: &mut String) {
    if !word.is_ascii() || word.len() <= 3 || word.bytes().any(|b| b.is_ascii_digit()) {
        if word.len() == 3 && word.ends_with('s') && !word.ends_with("ss") && !KEPT.contains(&word.as_str()) {
            word.pop();
        }
        return;
    }
    if let Some(base) = word.strip_suffix("ies").filter(|base| base.len() > 1) {
        *word = format!("{base}y");
    } else if ["sses", "shes", "ches", "xes", "zes"].iter().any(|end| word.ends_with(end)) {
        word.truncate(word.len() - 2);
    } else if word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        word.pop();
    }
    for end in ["ing", "ed"] {
        let base = word.strip_suffix(end).filter(|base| base.len() > 2 && has_vowel(base)).map(str::len);
        if let Some(len) = base {
            word.truncate(len);
            undouble(word);
            break;
        }
    }
    if word.len() > 5 && (word.ends_with("tion") || word.ends_with("sion")) {
        word.truncate(word.len() - 3);
    }
    if word.len() > 3 && word.ends_with('e') {
        word.pop();
    }
    if word.len() > 3 && word.ends_with('y') {
        word.pop();
        word.push('i');
    }
}

/// Short words whose `s` is no plural.
const KEPT: [&str; 8] = ["aws", "dns", "gas", "has", "ios", "sns", "sqs", "was"];

fn has_vowel(base: &str) -> bool {
    base.contains(['a', 'e', 'i', 'o', 'u', 'y'])
}

/// `running` is of `run`, but `calling` of `call`.
fn undouble(word: &mut String) {
    let mut ends = word.bytes().rev();
    if let (Some(last), Some(before)) = (ends.next(), ends.next())
        && last == before
        && last.is_ascii_alphabetic()
        && !b"aeioulsz".contains(&last)
    {
        word.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_names_are_written() {
        for text in ["list_open_prs", "listOpenPRs", "ListOpenPRs", "list-open.prs", "list  open\u{7}prs"] {
            assert_eq!(words(text, 100), ["list", "open", "prs"], "{text}");
        }
        assert_eq!(
            words("HTTPServer getURL user's v2API", 100),
            ["http", "server", "get", "url", "users", "v2api"]
        );
        assert_eq!(words("\u{dc}ber-\u{6771}\u{4eac}", 100), ["\u{fc}ber", "\u{6771}\u{4eac}"]);
        assert_eq!(words("one two", 3), ["one"]);
        assert_eq!(words(&"x".repeat(1000), 1000)[0].len(), MAX_BYTES);
    }

    #[test]
    fn forms_of_one_word_have_one_stem() {
        let stem_of = |word: &str| {
            let mut word = word.to_owned();
            stem(&mut word);
            word
        };
        for forms in [
            &["create", "creates", "created", "creating", "creation"][..],
            &["repository", "repositories"],
            &["delete", "deleted", "deletion"],
            &["search", "searches", "searching", "searched"],
            &["issue", "issues"],
            &["run", "runs", "running"],
            &["box", "boxes"],
            &["query", "queries", "querying"],
            &["call", "calls", "calling"],
            &["pr", "prs"],
        ] {
            let stems: Vec<_> = forms.iter().map(|form| stem_of(form)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        }
        for (one, other) in [("status", "statu"), ("string", "str"), ("thing", "th"), ("address", "addres")] {
            assert_ne!(stem_of(one), other);
        }
    }
}
