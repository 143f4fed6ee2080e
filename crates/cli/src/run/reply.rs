//! What a person may type when calls wait for their word. Pure: a line in, its meaning out.

/// What a reply says of the calls that were listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Which of them, by their places from 0.
    pub(super) places: Vec<usize>,
    pub(super) word: Word,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The calls may be made.
    Yes,
    /// They may not, for this reason.
    No(Option<String>),
    /// They may, and all calls of these tools in this session.
    All,
    /// Their inputs are to be shown whole.
    View,
    /// The cell is to end.
    Quit,
}

/// What may be typed, for so many listed calls.
pub(super) fn usage(count: usize) -> String {
    let (which, some) = match count {
        1 => (String::new(), ""),
        _ => (format!(" (all {count})"), "; `1 3 y` for some"),
    };
    format!(
        "y yes{which}, n no, `n REASON` no and why, a yes to all calls of these tools, v show whole, q no and end the cell{some}"
    )
}

/// Reads a reply to so many listed calls.
///
/// # Errors
/// What is wrong with it, for the person.
pub(super) fn parse(line: &str, count: usize) -> Result<Reply, String> {
    let mut rest = line.trim();
    let mut places = Vec::new();
    while rest.starts_with(|c: char| c.is_ascii_digit()) {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let place = number.parse::<usize>().ok().filter(|number| (1..=count).contains(number));
        let Some(place) = place else { return Err(format!("there is no call {number}")) };
        if !places.contains(&(place - 1)) {
            places.push(place - 1);
        }
        rest = after.trim_start_matches([' ', ',', '\t']);
    }
    if places.is_empty() {
        places.extend(0..count);
    }
    let (word, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let reason = Some(reason.trim()).filter(|reason| !reason.is_empty());
    let word = match (word.to_ascii_lowercase().as_str(), reason) {
        ("n" | "no", reason) => Word::No(reason.map(str::to_owned)),
        ("y" | "yes", None) => Word::Yes,
        ("a" | "all", None) => Word::All,
        ("v" | "view", None) => Word::View,
        ("q" | "quit", None) => Word::Quit,
        // Nothing is allowed by a slip.
        _ => return Err(format!("not understood; type {}", usage(count))),
    };
    Ok(Reply { places, word })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read() {
        for (line, places, word) in [
            ("y", &[0, 1, 2][..], Word::Yes),
            (" YES \n", &[0, 1, 2], Word::Yes),
            ("n", &[0, 1, 2], Word::No(None)),
            ("2 n that one is shipped", &[1], Word::No(Some("that one is shipped".into()))),
            ("3, 1 1 y", &[2, 0], Word::Yes),
            ("2y", &[1], Word::Yes),
            ("a", &[0, 1, 2], Word::All),
            ("1 v", &[0], Word::View),
            ("q", &[0, 1, 2], Word::Quit),
        ] {
            assert_eq!(parse(line, 3), Ok(Reply { places: places.to_vec(), word }), "{line:?}");
        }
    }

    #[test]
    fn slips_allow_nothing() {
        for line in ["", "yy", "y es", "yes please", "4 y", "0 y", "1 2", "ok", "99999999999999999999 y", "а"]
        {
            assert!(parse(line, 3).is_err(), "{line:?}");
        }
    }
}
