//! Where there are no process groups, only the child itself is ended, by its handle.

use tokio::process::{Child, Command};

/// Nothing: see the child's `kill_on_drop`.
#[derive(Debug)]
pub(in super::super) struct Group;

impl Group {
    /// Does nothing.
    pub(in super::super) fn prepare(_command: &mut Command) {}

    /// Returns nothing.
    pub(in super::super) fn of(_child: &Child) -> Self {
        Self
    }

    /// Does nothing.
    pub(in super::super) fn terminate(&self) {}

    /// Does nothing.
    pub(in super::super) fn kill(&self) {}
}
