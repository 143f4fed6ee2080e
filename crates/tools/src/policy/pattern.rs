//! Names with `*` for any run of characters. There is nothing else to know: no classes, no alternatives, no case.

use std::fmt;

/// A pattern over names of tools or of servers. It has to fit the whole name; `*` fits any run of characters, none
/// included.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(Box<str>);

/// A pattern that no name of a tool can fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{pattern:?} can fit no tool: the name of a tool holds letters A-Z and a-z, digits, `_` and `$`, and `*` stands \
     for any of them, as in `orders__*`"
)]
pub struct InvalidPattern {
    /// The pattern.
    pub pattern: String,
}

impl Pattern {
    /// Reads a pattern for names of tools.
    ///
    /// # Errors
    /// [`InvalidPattern`] when it holds what no name of a tool does.
    pub fn for_tools(pattern: &str) -> Result<Self, InvalidPattern> {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'*');
        if !pattern.is_empty() && pattern.bytes().all(known) {
            Ok(Self(pattern.into()))
        } else {
            Err(InvalidPattern { pattern: pattern.chars().take(160).collect() })
        }
    }

    /// Makes a pattern for names of servers, which may be any text.
    #[must_use]
    pub fn for_servers(pattern: &str) -> Self {
        Self(pattern.into())
    }

    /// Tells whether it fits the whole of `name`.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(last) = parts.next_back() else { return self.0.as_ref() == name };
        let Some(rest) = name.strip_prefix(first) else { return false };
        let Some(mut rest) = rest.strip_suffix(last) else { return false };
        // The leftmost place of each part leaves the most room for those after it.
        parts.all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }

    /// Returns the pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_the_whole_name() {
        for (pattern, fits, not) in [
            ("a__b", &["a__b"][..], &["a__bc", "xa__b", "A__b", "a__"][..]),
            ("*", &["", "anything"], &[]),
            ("orders__*", &["orders__", "orders__x"], &["orders_x", "Orders__x", "my_orders__x"]),
            ("*__delete*", &["a__delete", "b__delete_all"], &["delete", "a_delete"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*b*b*", &["bb", "abcbd"], &["b", "abc"]),
            ("a**z", &["az", "abz"], &["a"]),
        ] {
            let pattern = Pattern::for_tools(pattern).unwrap();
            for name in fits {
                assert!(pattern.fits(name), "{pattern} fits {name}");
            }
            for name in not {
                assert!(!pattern.fits(name), "{pattern} does not fit {name}");
            }
        }
    }

    #[test]
    fn what_fits_no_tool_is_refused() {
        for bad in ["", "a b", "orders.list", "órders__*", "a__[bc]", "a__?"] {
            assert_eq!(Pattern::for_tools(bad).unwrap_err().pattern, bad);
        }
        assert!(Pattern::for_servers("my server").fits("my server"));
    }
}
