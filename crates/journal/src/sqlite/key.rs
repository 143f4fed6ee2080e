//! The key of an entry's row: the session's number and the position in one integer, which SQLite orders its rows by.
//!
//! 36 bits hold 69 billion positions, 27 the numbers of 134 million sessions.

use carrel_contract::SessionId;
use rusqlite::{Error, Result};

use crate::Position;

const POSITION_BITS: u32 = 36;
const LAST_POSITION: i64 = (1 << POSITION_BITS) - 1;
const LAST_SESSION: i64 = i64::MAX >> POSITION_BITS;

/// Returns the key of an entry of the session with a number. A position that none can have is the last.
pub(super) fn of(session: i64, position: Position) -> i64 {
    session << POSITION_BITS | i64::try_from(position.0).unwrap_or(i64::MAX).min(LAST_POSITION)
}

/// Returns the key that comes after all of the session's entries.
pub(super) fn last(session: i64) -> i64 {
    of(session, Position(u64::MAX))
}

/// Returns the position in a key; before the first, when there is no entry.
pub(super) fn position(key: Option<i64>) -> Position {
    Position(key.unwrap_or_default().unsigned_abs() & LAST_POSITION.unsigned_abs())
}

/// Checks the number that SQLite gave a new session.
pub(super) fn check_session(session: i64, name: &SessionId) -> Result<i64> {
    if (1..=LAST_SESSION).contains(&session) {
        Ok(session)
    } else {
        Err(Error::InvalidParameterName(format!(
            "the number {session} of session {name} is none that a key can hold"
        )))
    }
}
