//! Stable codes, so that an error can be looked up and matched across processes and versions.

use std::fmt;

/// The stable code of a cause, as in `CR0007`. A code is never given to another cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub u16);

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CR{:04}", self.0)
    }
}

/// An error with a stable code.
pub trait Coded {
    /// Returns the code of the cause.
    fn code(&self) -> ErrorCode;

    /// Tells whether the same call may succeed later without a change by the caller.
    fn retryable(&self) -> bool;
}
