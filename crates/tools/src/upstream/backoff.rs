//! How soon a server that was lost is started or reached again: at once after the first loss, then ever later, so that
//! one that dies whenever it is started is not started in a loop. Pure: it is told the time.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time between two attempts.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a connection has to stand for the losses before it to be forgotten.
const STEADY: Duration = Duration::from_secs(60);

/// What has been lost lately.
#[derive(Debug)]
pub(super) struct Backoff {
    /// The wait after the second loss; each further one is twice as long.
    first_wait: Duration,
    losses: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(first_wait: Duration) -> Self {
        Self { first_wait, losses: 0, not_before: None }
    }

    /// Takes note of a connection that stood from `since` to `until`.
    pub(super) fn lost(&mut self, since: Instant, until: Instant) {
        if until.saturating_duration_since(since) >= STEADY {
            self.losses = 0;
        }
        self.failed(until);
    }

    /// Takes note of a connection that did not come about.
    pub(super) fn failed(&mut self, now: Instant) {
        self.losses = self.losses.saturating_add(1);
        let wait = match self.losses {
            1 => Duration::ZERO,
            losses => self.first_wait.saturating_mul(2_u32.saturating_pow(losses - 2)).min(LONGEST),
        };
        self.not_before = now.checked_add(wait);
    }

    /// Returns how long to wait from `now` on.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.not_before.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_with_every_loss_and_forgets_them_when_a_connection_stands() {
        let start = Instant::now();
        let mut backoff = Backoff::new(Duration::from_millis(250));
        assert_eq!(backoff.wait(start), Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..11 {
            backoff.lost(start, start);
            waits.push(backoff.wait(start).as_millis());
        }
        assert_eq!(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(backoff.wait(start + Duration::from_secs(59)), Duration::from_secs(1));
        let later = start + STEADY;
        backoff.failed(later);
        assert_eq!(backoff.wait(later), LONGEST);
        backoff.lost(start, later);
        assert_eq!(backoff.wait(later), Duration::ZERO);
    }
}
