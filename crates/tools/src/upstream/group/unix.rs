//! Process groups as POSIX has them.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// The process group a child leads.
#[derive(Debug)]
pub(in super::super) struct Group(Option<Pid>);

impl Group {
    /// Has `command` start its child at the head of a new group.
    pub(in super::super) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    /// Returns the group that `child` leads.
    pub(in super::super) fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Asks every process of the group to end.
    pub(in super::super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends every process of the group.
    pub(in super::super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails when the group has no process left, which is what was wanted.
            let _gone = kill_process_group(group, signal);
        }
    }
}
