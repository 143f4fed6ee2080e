//! What people call a session.
//!
//! An id is never used again, and people use a name again and again. So the id of a session that has a name begins with it,
//! and ends in a number that was drawn when the session was made. `:` stands between the two and is in no name: the ids of
//! one name stand together wherever ids are sorted.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::SessionId;
use crate::error::InvalidId;

/// The longest name, in bytes.
const MAX_BYTES: usize = 64;

/// A session's name: 1 to 64 ASCII letters, digits, `_`, `-` or `.`, of which the first is a letter or a digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(Arc<str>);

impl SessionName {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`InvalidId`] when it is empty, too long, or holds another character.
    pub fn new(name: &str) -> Result<Self, InvalidId> {
        let refused = |reason| Err(InvalidId::new("session by name", name, reason));
        if name.len() > MAX_BYTES {
            return refused("it is longer than 64 bytes");
        }
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return refused("it does not begin with a letter or a digit");
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
            return refused("it holds a character other than A-Z, a-z, 0-9, `_`, `-`, `.`");
        }
        Ok(Self(name.into()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes the id of a session of this name.
    ///
    /// # Errors
    /// None: whatever is a name makes an id.
    pub fn id(&self, drawn: u64) -> Result<SessionId, InvalidId> {
        SessionId::new(&format!("{self}:{drawn:016x}"))
    }

    /// Returns the name of a session by its id; `None` when it has none.
    #[must_use]
    pub fn of(id: &SessionId) -> Option<Self> {
        let (name, drawn) = id.as_str().split_once(':')?;
        let is_drawn = drawn.len() == 16 && drawn.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        Self::new(name).ok().filter(|_| is_drawn)
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionName({})", self.0)
    }
}

impl TryFrom<String> for SessionName {
    type Error = InvalidId;

    fn try_from(name: String) -> Result<Self, InvalidId> {
        Self::new(&name)
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> Self {
        name.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_the_name_it_was_made_of() {
        for name in ["a", "report-7", "2026.11_x", &"x".repeat(64)] {
            let name = SessionName::new(name).unwrap();
            assert_eq!(SessionName::of(&name.id(u64::MAX).unwrap()), Some(name));
        }
        for id in [
            "session-0123456789abcdef",
            "a:0",
            "a:0123456789ABCDEF",
            "a:0123456789abcdef0",
            ":0123456789abcdef",
        ] {
            assert_eq!(SessionName::of(&SessionId::new(id).unwrap()), None, "{id}");
        }
    }

    #[test]
    fn names_what_is_wrong() {
        for (bad, why) in [
            ("", "begin"),
            ("-x", "begin"),
            ("a:b", "character"),
            ("a b", "character"),
            (&"x".repeat(65), "longer"),
        ] {
            let error = SessionName::new(bad).unwrap_err().to_string();
            assert!(error.contains("name") && error.contains(why), "{error}");
        }
    }
}
