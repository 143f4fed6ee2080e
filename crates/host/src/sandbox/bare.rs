//! The end of a process's past: what it was started with, and does not need.

use std::ffi::c_uint;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::SandboxError;

/// How a host that has no environment any more was started, which it knows itself by.
const NAME: &str = "carrel-host";
/// Files that a host may have open: clients, and the journal.
const OPEN_FILES: u64 = 4096;
/// What root keeps, `CAP_CHOWN` and `CAP_DAC_OVERRIDE`: opening a journal that is another user's, and leaving it his.
const CAPABILITIES: u32 = 1 << 0 | 1 << 1;
/// The version of `capabilities(7)` with two words a set.
const CAPABILITIES_VERSION: u32 = 0x2008_0522;

/// A process that has nothing but its arguments and its standard streams.
#[derive(Debug)]
pub struct Stripped(());

/// Gives up environment, descriptors, capabilities and core dumps. To be
/// called first of all: before there is a second thread, and before anything is opened.
///
/// An environment stands in a process's memory until it starts another program; so where there is one, this starts the same
/// program again without it, with the same arguments, as the same process.
///
/// # Errors
/// When the kernel refuses.
pub fn strip() -> Result<Stripped, SandboxError> {
    drop_environment()?;
    close_descriptors().map_err(|error| SandboxError::new("close what is open")(&error))?;
    drop_capabilities().map_err(|error| SandboxError::new("give up capabilities")(&error))?;
    let limit = |resource, most: u64| {
        let most = getrlimit(resource).maximum.map_or(most, |hard| hard.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(|error| SandboxError::new("lower the limits")(&error))
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, OPEN_FILES)?;
    Ok(Stripped(()))
}

fn drop_environment() -> Result<(), SandboxError> {
    if std::env::vars_os().next().is_none() {
        return Ok(());
    }
    let failed = SandboxError::new("give up the environment");
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == NAME) {
        return Err(failed(&"it came back"));
    }
    Err(failed(&Command::new("/proc/self/exe").arg0(NAME).args(arguments).env_clear().exec()))
}

#[expect(unsafe_code, reason = "closing descriptors that nothing in this process owns")]
fn close_descriptors() -> io::Result<()> {
    // SAFETY: called before anything of this process is opened: whatever is closed was left open by whoever started it.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3 as c_uint, c_uint::MAX, 0 as c_uint) };
    if closed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "no library that is here anyway does it")]
fn drop_capabilities() -> io::Result<()> {
    // A version and a process, 0 for this one; then, in two words of 32 each, the effective, permitted and inheritable ones.
    let this = [CAPABILITIES_VERSION, 0];
    let mut sets = [[0_u32; 3]; 2];
    // SAFETY: the kernel reads two words and writes six.
    if unsafe { libc::syscall(libc::SYS_capget, this.as_ptr(), sets.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let [[_, permitted, _], _] = sets;
    let kept = permitted & CAPABILITIES;
    let sets = [[kept, kept, 0], [0; 3]];
    // SAFETY: the kernel reads two words and six.
    if unsafe { libc::syscall(libc::SYS_capset, this.as_ptr(), sets.as_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
