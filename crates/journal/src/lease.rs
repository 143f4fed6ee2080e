//! Who owns a session, for how long.
//!
//! A lease keeps two owners from working on one session by accident; it is not what makes that safe. Clocks differ, and an
//! owner may sleep past its lease: so a new owner appends a record of its own first, after which each append of the old
//! one, which expects another position, fails.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::InvalidOwner;

/// The longest name of an owner, in bytes.
const MAX_OWNER_BYTES: usize = 128;

/// Names one owner of sessions: one run of one process.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub(crate) Arc<str>);

impl Owner {
    /// Checks and wraps a name: 1 to 128 bytes of printable ASCII.
    ///
    /// # Errors
    /// [`InvalidOwner`] when it is empty, too long or holds another character.
    pub fn new(name: &str) -> Result<Self, InvalidOwner> {
        let printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if printable && (1..=MAX_OWNER_BYTES).contains(&name.len()) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidOwner { name: name.chars().take(160).collect() })
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({})", self.0)
    }
}

/// The right to a session, until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who has it.
    pub owner: Owner,
    /// The fencing token: greater than that of every lease of this session before.
    pub epoch: u64,
    /// Until when, in microseconds since 1970, by the clock of whoever acquired or renewed it.
    pub until_us: i64,
}

/// Returns the time `ttl` after `now_us`, in microseconds since 1970.
pub(crate) fn until(now_us: i64, ttl: Duration) -> i64 {
    now_us.saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}
