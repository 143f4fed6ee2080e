//! What cells that turn out to be CPU-bound may take of the embedder's threads before they are known to be.
//!
//! A new cell runs in its own task, because most are done at once. A thousand new ones that all compute would hold the
//! tokio threads for a slice each, one after the other, and every tool's answer with them. So slices that were used up
//! there are paid for, from a credit that comes back with time; once it is spent, new cells begin in the lane.

use std::sync::atomic::{AtomicI64, Ordering};

/// The most there is: 8 ms, a few slices.
const MOST_NS: i64 = 8_000_000;
/// What comes back with each tick, 0.2 ms in a millisecond.
const REGAINED_NS: i64 = 200_000;

/// The credit of a provider.
#[derive(Debug)]
pub(super) struct Credit(AtomicI64);

impl Default for Credit {
    fn default() -> Self {
        Self(AtomicI64::new(MOST_NS))
    }
}

impl Credit {
    pub(super) fn is_left(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    pub(super) fn spend(&self, nanoseconds: i64) {
        self.0.fetch_sub(nanoseconds, Ordering::Relaxed);
    }

    /// Gives back what a tick gives back. Called from one thread alone.
    pub(super) fn regain(&self) {
        if self.0.load(Ordering::Relaxed) < MOST_NS {
            let now = self.0.fetch_add(REGAINED_NS, Ordering::Relaxed) + REGAINED_NS;
            if now > MOST_NS {
                self.0.fetch_sub(now - MOST_NS, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_spent_by_a_few_slices_and_comes_back() {
        let credit = Credit::default();
        let mut slices = 0;
        while credit.is_left() {
            credit.spend(1_500_000);
            slices += 1;
        }
        assert_eq!(slices, 6);
        for _ in 0..5 {
            credit.regain();
        }
        assert!(!credit.is_left(), "a slice takes some ticks to come back");
        credit.regain();
        assert!(credit.is_left());
        for _ in 0..1000 {
            credit.regain();
        }
        assert_eq!(credit.0.load(Ordering::Relaxed), MOST_NS, "it does not pile up");
    }
}
