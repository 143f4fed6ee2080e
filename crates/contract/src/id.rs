//! Identifiers as types of their own, so that a cell's id can never be passed for a session's.
//!
//! Each has a checked constructor and `as_str`, and deliberately no `From<String>` and no `Deref`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::InvalidId;

/// The longest identifier accepted, in bytes.
const MAX_ID_BYTES: usize = 128;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps an identifier: 1 to 128 ASCII letters, digits, `_`, `-`, `.` or `:`.
            ///
            /// # Errors
            /// [`InvalidId`] when it is empty, too long or holds another character.
            pub fn new(id: &str) -> Result<Self, InvalidId> {
                check(id).map_err(|reason| InvalidId::new($kind, id, reason))?;
                Ok(Self(id.into()))
            }

            /// Returns the identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                Self::new(&id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    };
}

fn check(id: &str) -> Result<(), &'static str> {
    if id.is_empty() {
        return Err("it is empty");
    }
    if id.len() > MAX_ID_BYTES {
        return Err("it is longer than 128 bytes");
    }
    if id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':')) {
        Ok(())
    } else {
        Err("it holds a character other than A-Z, a-z, 0-9, `_`, `-`, `.`, `:`")
    }
}

id! {
    /// Names one session for ever. Never reused, not after a restart either.
    SessionId, "session"
}
id! {
    /// Names one cell within its session for ever.
    CellId, "cell"
}
id! {
    /// Names one tool call within its cell for ever.
    ToolCallId, "tool call"
}
id! {
    /// Names a request to run a cell, so that it can be made again without running the cell again. Its maker draws it; it
    /// counts within one session.
    IdempotencyKey, "request"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_documentation_says() {
        for good in ["a", "cell-1", "A.b:c_d", &"x".repeat(128)] {
            assert_eq!(CellId::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn names_what_is_wrong() {
        for (bad, why) in
            [("", "empty"), ("a b", "character"), ("ü", "character"), (&"x".repeat(129), "longer")]
        {
            let error = CellId::new(bad).unwrap_err().to_string();
            assert!(error.contains("cell") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn serde_checks_too() {
        assert!(serde_json::from_str::<SessionId>("\"s-1\"").is_ok());
        assert!(serde_json::from_str::<SessionId>("\"s 1\"").is_err());
    }
}
