//! What a VM used, in CPU time of the thread that ran it: not what it waited for a processor, nor what the host
//! did with its effects. Nothing here reaches the guest.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Returns the CPU time that the calling thread has used so far.
pub(crate) fn of_this_thread() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
