//! CPU time of the calling thread, which is what a cell is charged for: not what it waits for a processor.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Measures the CPU time that the calling thread uses from here on.
pub(crate) struct CpuTimer(Duration);

impl CpuTimer {
    pub(crate) fn start() -> Self {
        Self(now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        now().saturating_sub(self.0)
    }
}

fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
