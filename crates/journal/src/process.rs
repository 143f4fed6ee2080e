//! Owners that are processes of this machine: whether one is gone is known at once, without waiting for its lease.
//!
//! A process is told by its number and the time of its start, within one boot and one space of process numbers; of owners
//! elsewhere nothing is known here.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Owner;

impl Owner {
    /// Names a new owner in this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let nth = MADE.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        let start = started(pid).unwrap_or_default();
        let name = format!("process {pid} of {start} in {}, owner {nth}", place());
        // Short and printable, whatever the numbers.
        Self(name.into())
    }

    /// Tells whether it is known to be gone: a process that was here and is no more, or that was killed and does nothing more
    /// but end. What such a one has under way in the kernel is held off by the store's fence, as of any other owner.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let Some((process, rest)) = self.as_str().strip_prefix("process ").and_then(|s| s.split_once(" in "))
        else {
            return false;
        };
        let Some((pid, start)) = process.split_once(" of ") else { return false };
        let is_here = rest.split_once(", owner ").is_some_and(|(there, _)| there == place());
        let Ok(pid) = pid.parse() else { return false };
        is_here && !start.is_empty() && (started(pid).as_deref() != Some(start) || is_killed(pid))
    }
}

/// Names this boot of this machine and its space of process numbers, as far as the system tells them.
fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{}/{space}", boot.trim())
}

/// Returns when a process began, in ticks since the boot; `None` when there is none, or it is dead and not yet buried.
/// `proc_pid_stat(5)`: the 22nd field, counted past the name, which may hold anything; the third is the state.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let start = fields.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| start.to_owned())
}

/// Tells whether a process was killed, and has not ended yet: a host dies with its parent, but a little later.
fn is_killed(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| has_kill_pending(&status))
}

/// `proc_pid_status(5)`: the signals that are pending for the whole process, bit by bit.
fn has_kill_pending(status: &str) -> bool {
    const KILL: u64 = 1 << (9 - 1);
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    pending.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits & KILL != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_is_gone_and_a_living_one_is_not() {
        let here = Owner::of_this_process();
        assert!(!here.is_gone(), "{here}");
        assert_ne!(here, Owner::of_this_process());
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let start = started(child.id()).unwrap();
        let there =
            Owner::new(&format!("process {} of {start} in {}, owner 0", child.id(), place())).unwrap();
        assert!(!there.is_gone(), "{there}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(there.is_gone());
        for elsewhere in ["process 1 of 1 in elsewhere, owner 0", "somebody", "process x of 1 in /, owner 0"]
        {
            assert!(!Owner::new(elsewhere).unwrap().is_gone(), "{elsewhere}");
        }
    }

    #[test]
    fn a_process_that_was_killed_has_the_signal_pending_until_it_ends() {
        let status =
            |pending: &str| format!("Name:\tcarrel\nSigPnd:\t0000000000000100\nShdPnd:\t{pending}\n");
        assert!(has_kill_pending(&status("0000000000000100")));
        assert!(has_kill_pending(&status("0000000000004100")));
        assert!(!has_kill_pending(&status("0000000000000000")));
        assert!(!has_kill_pending(&status("0000000000004002")));
        assert!(!has_kill_pending("Name:\tcarrel\n"));
        assert!(!is_killed(std::process::id()));
    }
}
