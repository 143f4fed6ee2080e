//! Whose turn it is in the lane: sessions in turns, whatever the number of their cells.
//!
//! Within a session, VMs that have computed little since they last waited go turn about with those that have computed
//! long, so that a short piece of work does not wait for every loop.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The CPU time from which on a VM counts as one that computes long.
const LONG: Duration = Duration::from_millis(8);

/// Names a session in the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Party(pub(crate) u64);

/// What waits for its turn.
#[derive(Debug)]
pub(super) struct Turns<T> {
    /// The sessions with something to run, in the order of their turns.
    order: VecDeque<Party>,
    waiting: HashMap<Party, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    short: VecDeque<T>,
    long: VecDeque<T>,
    was_short: bool,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { order: VecDeque::new(), waiting: HashMap::new() }
    }
}

impl<T> Turns<T> {
    /// Adds something to run for a session, behind its like. `used` is the CPU time that it has used so far.
    pub(super) fn push(&mut self, party: Party, used: Duration, job: T) {
        let waiting = self.waiting.entry(party).or_insert_with(|| {
            self.order.push_back(party);
            Waiting { short: VecDeque::new(), long: VecDeque::new(), was_short: false }
        });
        if used < LONG { waiting.short.push_back(job) } else { waiting.long.push_back(job) }
    }

    /// Takes what is next.
    pub(super) fn pop(&mut self) -> Option<(Party, T)> {
        let party = self.order.pop_front()?;
        let waiting = self.waiting.get_mut(&party)?;
        let short_first = !waiting.was_short || waiting.long.is_empty();
        let job = if short_first && !waiting.short.is_empty() {
            waiting.was_short = true;
            waiting.short.pop_front()
        } else {
            waiting.was_short = false;
            waiting.long.pop_front()
        };
        if waiting.short.is_empty() && waiting.long.is_empty() {
            self.waiting.remove(&party);
        } else {
            self.order.push_back(party);
        }
        Some((party, job?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    /// Runs `slices` slices of what never ends, and counts those of each session.
    fn run(turns: &mut Turns<char>, slices: usize) -> HashMap<char, usize> {
        let mut counts = HashMap::new();
        for _ in 0..slices {
            let (party, job) = turns.pop().unwrap();
            *counts.entry(job).or_default() += 1;
            turns.push(party, LONG, job);
        }
        counts
    }

    #[test]
    fn a_session_with_a_thousand_cells_gets_no_more_than_one_with_one() {
        let mut turns = Turns::default();
        for _ in 0..1000 {
            turns.push(Party(1), LONG, 'a');
        }
        turns.push(Party(2), LONG, 'b');
        turns.push(Party(3), LONG, 'c');
        let counts = run(&mut turns, 3000);
        assert!(counts.values().all(|count| (999..=1001).contains(count)), "{counts:?}");
    }

    #[test]
    fn cells_of_one_session_take_turns() {
        let mut turns = Turns::default();
        for job in ['a', 'b', 'c', 'd'] {
            turns.push(Party(1), LONG, job);
        }
        assert!(run(&mut turns, 400).values().all(|count| *count == 100));
    }

    #[test]
    fn what_is_short_goes_turn_about_with_what_is_long() {
        let mut turns = Turns::default();
        for n in 0..100 {
            turns.push(Party(1), LONG, 1000 + n);
        }
        turns.push(Party(1), NONE, 0);
        turns.push(Party(1), NONE, 1);
        let order: Vec<_> = (0..4).filter_map(|_| turns.pop()).map(|(_, job)| job).collect();
        assert_eq!(order, [0, 1000, 1, 1001]);
        // A stream of short ones does not keep the long ones from theirs.
        for n in 0..10 {
            turns.push(Party(1), NONE, n);
        }
        let long = (0..10).filter_map(|_| turns.pop()).filter(|(_, job)| *job >= 1000).count();
        assert_eq!(long, 5);
    }

    #[test]
    fn nothing_is_kept_of_a_session_that_has_nothing_to_run() {
        let mut turns = Turns::default();
        turns.push(Party(1), NONE, ());
        assert!(turns.pop().is_some());
        assert!(turns.pop().is_none() && turns.order.is_empty() && turns.waiting.is_empty());
    }
}
