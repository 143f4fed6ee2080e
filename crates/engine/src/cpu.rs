//! What a VM used, in CPU time of the thread that ran it: not what it waited for a processor, nor what the host
//! did with its effects. Nothing here reaches the guest.
//!
//! The thread's CPU clock is a system call, two of which took 0.9 us, as much as all else of a tool call's way into the
//! guest and out. So of a VM whose last turn was short, the wall clock is read, which is not one: a short turn is
//! charged what it took by that, never less than it used. One that was then long after all is charged so, too, up to a
//! bound, and the next is measured exactly.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A turn of less is not worth a system call.
const SHORT: Duration = Duration::from_micros(100);
/// The most that a turn is charged by the wall clock. A slice ends after 2 ms, and few pieces of one that cannot be
/// preempted take longer than this; a thread that has to wait for its processor may well wait longer, in the middle of
/// one turn in some hundred on a crowded machine.
const MOST_BY_WALL: Duration = Duration::from_millis(10);

/// Measures the turns of one VM.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    last_was_short: bool,
}

/// A turn that has begun.
pub(crate) enum Begun {
    Cpu(Duration),
    Wall(Instant),
}

impl Meter {
    pub(crate) fn begin(&self) -> Begun {
        if self.last_was_short { Begun::Wall(Instant::now()) } else { Begun::Cpu(of_this_thread()) }
    }

    /// Returns what the turn is charged. Called on the thread that began it.
    pub(crate) fn end(&mut self, begun: &Begun) -> Duration {
        let taken = match begun {
            Begun::Cpu(begun) => of_this_thread().saturating_sub(*begun),
            Begun::Wall(begun) => begun.elapsed().min(MOST_BY_WALL),
        };
        self.last_was_short = taken < SHORT;
        taken
    }
}

fn of_this_thread() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_after_a_short_one_is_charged_by_the_wall_clock_and_one_after_a_long_one_is_not() {
        let mut meter = Meter::default();
        assert!(matches!(meter.begin(), Begun::Cpu(_)));
        meter.end(&Begun::Cpu(of_this_thread()));
        assert!(matches!(meter.begin(), Begun::Wall(_)));
        let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(60)) else { return };
        assert_eq!(meter.end(&Begun::Wall(long_ago)), MOST_BY_WALL);
        assert!(matches!(meter.begin(), Begun::Cpu(_)));
    }
}
