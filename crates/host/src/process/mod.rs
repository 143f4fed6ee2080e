//! Host processes: started, watched, replaced, and never left behind.

mod child;
#[cfg(any(test, not(target_os = "linux")))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
mod options;
mod orphan;
mod pool;
mod provider;
mod reaper;

#[cfg(not(target_os = "linux"))]
use elsewhere::ends_within;
#[cfg(target_os = "linux")]
use linux::ends_within;
pub use options::{HostCommand, Pool, ProcessOptions, Transport};
pub use orphan::die_with_parent;
pub use provider::ProcessProvider;

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use rustix::process::Pid;

    use super::{elsewhere, ends_within};

    #[test]
    fn a_child_that_ends_is_seen_and_left_to_be_waited_for() {
        for ends_within in [ends_within, elsewhere::ends_within] {
            let mut child =
                Command::new("/bin/cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let pid = Pid::from_child(&child);
            assert!(!ends_within(pid, Duration::ZERO));
            drop(child.stdin.take());
            assert!(ends_within(pid, Duration::from_secs(600)));
            assert!(child.wait().unwrap().success());
        }
    }
}
