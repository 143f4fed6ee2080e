//! Places in a session's journal.

use std::fmt;

/// The number of an entry in its session's journal, counted from 1 without gaps.
///
/// As a cursor it means "everything up to and including this"; [`Position::START`] is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The position before the first entry.
    pub const START: Self = Self(0);

    /// Returns the position `entries` further on.
    #[must_use]
    pub const fn advance(self, entries: u64) -> Self {
        Self(self.0.saturating_add(entries))
    }

    /// Returns the position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.advance(1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
