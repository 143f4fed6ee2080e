//! Time of day and randomness, injected so that a test, or a replay, can bring its own.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where a provider takes the time of day and its random numbers from. Deadlines are measured by tokio's clock.
pub trait Environment: Send + Sync {
    /// Returns the time in microseconds since 1970.
    fn now_us(&self) -> i64;

    /// Returns a random number.
    fn random(&self) -> u64;
}

/// The system's clock and random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    fn now_us(&self) -> i64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
    }

    fn random(&self) -> u64 {
        // Seeds and names, not secrets: where the system has no randomness, the time has to do.
        getrandom::u64().unwrap_or_else(|_| self.now_us().cast_unsigned())
    }
}
