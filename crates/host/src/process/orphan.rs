//! A host that has lost its parent ends at once, whatever it does.

use std::io;

use rustix::process::getppid;

/// Has the kernel kill this process when its parent ends. Tells whether the parent is still there.
///
/// # Errors
/// When the kernel refuses.
pub fn die_with_parent(parent: u32) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have ended before the kernel was asked.
    Ok(getppid().is_some_and(|pid| u32::try_from(pid.as_raw_nonzero().get()) == Ok(parent)))
}
