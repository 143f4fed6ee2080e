//! Waiting for a process to end, where there is no descriptor of one (macOS): by asking now and then.

use std::thread::park_timeout;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(5);

/// Waits for a child of this process to end, no longer than this. Leaves it to be waited for.
pub(super) fn ends_within(pid: Pid, time: Duration) -> bool {
    let begun = Instant::now();
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Ok(None) if begun.elapsed() < time => park_timeout(EVERY),
            Ok(ended) => return ended.is_some(),
            // It is no child any more.
            Err(_) => return true,
        }
    }
}
