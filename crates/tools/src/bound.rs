//! Text from an upstream is of any length; what is kept of it is not.

/// Cuts `text` to at most `max_bytes` on a character boundary and says how much is missing.
///
/// What is said comes on top of `max_bytes`.
pub(crate) fn bounded(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(max_bytes);
    format!("{}… [{} more bytes]", text.get(..kept).unwrap_or_default(), text.len() - kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        assert_eq!(bounded("abc", 3), "abc");
        assert_eq!(bounded("aüb", 2), "a… [3 more bytes]");
    }
}
