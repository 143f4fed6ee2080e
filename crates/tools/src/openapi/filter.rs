//! Which operations become tools.
//!
//! A pattern is matched against an operation's name (`repos/*`), its method and path when it has a space
//! (`GET /repos/*`), or one of its tags (`tag:issues`). `*` stands for any text, `/` included.

use std::cell::Cell;

/// Patterns, and which of them ever matched.
pub(super) struct Filter<'a> {
    include: Vec<(&'a str, Cell<bool>)>,
    exclude: Vec<(&'a str, Cell<bool>)>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(include: &'a [String], exclude: &'a [String]) -> Self {
        let patterns =
            |of: &'a [String]| of.iter().map(|pattern| (pattern.as_str(), Cell::new(false))).collect();
        Self { include: patterns(include), exclude: patterns(exclude) }
    }

    /// Tells whether an operation is to be a tool: included, or nothing is said of including, and not excluded.
    pub(super) fn takes(&self, name: &str, call: &str, tags: &[&str]) -> bool {
        let any = |patterns: &[(&str, Cell<bool>)]| {
            // Each is tried: which of them matches nothing at all is told.
            patterns
                .iter()
                .filter(|(pattern, matched)| {
                    let matches = match pattern.strip_prefix("tag:") {
                        Some(pattern) => tags.iter().any(|tag| glob(pattern, tag)),
                        None if pattern.contains(' ') => glob(pattern, call),
                        None => glob(pattern, name),
                    };
                    matched.set(matched.get() || matches);
                    matches
                })
                .count()
                > 0
        };
        let included = any(&self.include) || self.include.is_empty();
        let excluded = any(&self.exclude);
        included && !excluded
    }

    /// Returns the patterns that matched no operation.
    pub(super) fn idle(&self) -> impl Iterator<Item = &str> {
        self.include
            .iter()
            .chain(&self.exclude)
            .filter(|(_, matched)| !matched.get())
            .map(|(pattern, _)| *pattern)
    }
}

/// Matches without backtracking into earlier stars, so in time proportional to pattern times text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, matches) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab/c", true),
            ("*c", "ab/c", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("", "a", false),
            ("ab*ba", "aba", false),
            ("*b*", "abc", true),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn takes_by_name_call_and_tag_and_knows_idle_patterns() {
        let include =
            ["repos/*".to_owned(), "POST /gists*".to_owned(), "tag:issues".to_owned(), "typo".to_owned()];
        let exclude = ["repos/delete*".to_owned()];
        let filter = Filter::new(&include, &exclude);
        assert!(filter.takes("repos/get", "GET /repos/{id}", &[]));
        assert!(!filter.takes("repos/delete", "DELETE /repos/{id}", &["issues"]));
        assert!(filter.takes("x", "POST /gists", &[]) && filter.takes("x", "GET /x", &["issues"]));
        assert!(!filter.takes("x", "GET /gists", &["other"]));
        assert_eq!(filter.idle().collect::<Vec<_>>(), ["typo"]);
        assert!(Filter::new(&[], &[]).takes("x", "GET /x", &[]));
    }
}
