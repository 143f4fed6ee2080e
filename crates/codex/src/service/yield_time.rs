//! How long a request waits.

use std::time::Duration;

/// What a request waits that says nothing.
const DEFAULT: Duration = Duration::from_secs(10);
/// From here on a wait is longer than it was asked for.
const LONG: Duration = Duration::from_secs(10);
/// By so much: so that a tool whose own limit is as long still gets its answer in.
const GRACE: Duration = Duration::from_secs(1);

/// Returns how long a wait takes that was asked for so long, in a session with such a limit.
pub(super) fn of(asked: Option<Duration>, most: Option<Duration>) -> Duration {
    let asked = asked.unwrap_or(DEFAULT);
    let granted = if asked >= LONG { asked.saturating_add(GRACE) } else { asked };
    most.map_or(granted, |most| granted.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROTOCOL 36, 38, 40.
    #[test]
    fn n036_long_waits_get_a_second_and_the_limit_has_the_last_word() {
        let ms = Duration::from_millis;
        for (asked, most, expected) in [
            (None, None, ms(11_000)),
            (Some(ms(9_999)), None, ms(9_999)),
            (Some(ms(10_000)), None, ms(11_000)),
            (Some(ms(30_000)), Some(ms(30_000)), ms(30_000)),
            (Some(ms(10_000)), Some(ms(0)), ms(0)),
            (Some(ms(u64::MAX)), None, ms(u64::MAX) + GRACE),
            (Some(Duration::MAX), Some(ms(5)), ms(5)),
            (Some(Duration::MAX), None, Duration::MAX),
        ] {
            assert_eq!(of(asked, most), expected, "{asked:?} {most:?}");
        }
    }
}
