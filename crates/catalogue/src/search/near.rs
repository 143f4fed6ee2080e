//! Words that differ in one letter.

/// Tells whether one edit leads from one word to the other: a letter more, less or another, or two swapped.
pub(super) fn is_near(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let (short, long) = (short.as_bytes(), long.as_bytes());
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (short, long) = (short.get(same..).unwrap_or_default(), long.get(same..).unwrap_or_default());
    match (short, long) {
        ([], [] | [_]) => true,
        ([a, b, short @ ..], [c, d, long @ ..]) if a == d && b == c && short == long => true,
        ([_, short @ ..], [_, long @ ..]) if short.len() == long.len() => short == long,
        (short, [_, long @ ..]) => short == long,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn one_edit_is_near_and_two_are_not() {
        for (a, b) in [
            ("issue", "isue"),
            ("issue", "isseu"),
            ("issue", "issuf"),
            ("a", ""),
            ("ab", "ba"),
            ("abc", "xabc"),
        ] {
            assert!(is_near(a, b) && is_near(b, a), "{a} {b}");
        }
        for (a, b) in [("issue", "ise"), ("issue", "essuf"), ("abcd", "badc"), ("abc", "cab"), ("ab", "")] {
            assert!(!is_near(a, b) && !is_near(b, a), "{a} {b}");
        }
    }
}
