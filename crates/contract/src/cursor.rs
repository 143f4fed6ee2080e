//! Positions in a session's log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The sequence number of an event in its session's log, counted from 1 without gaps.
///
/// As a cursor it means "everything up to and including this has been read"; [`Seq::START`] has read nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The cursor before the first event.
    pub const START: Self = Self(0);

    /// Returns the number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
