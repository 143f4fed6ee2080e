//! Waiting for a process to end, on Linux: by a descriptor of it, without polling.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Waits for a child of this process to end, no longer than this. Leaves it to be waited for.
pub(super) fn ends_within(pid: Pid, time: Duration) -> bool {
    let Ok(time) = Timespec::try_from(time) else { return false };
    let ended = pidfd_open(pid, PidfdFlags::empty())
        .map(|pidfd| poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&time)));
    matches!(ended, Ok(Ok(1..)))
}
