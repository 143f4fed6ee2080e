//! The processes a server started, as one thing that can be signalled.
//!
//! `npx` starts `sh`, `sh` starts `node`: ending the one that was started leaves the one that works. So a
//! server leads a process group of its own where there is such a thing.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "other.rs")]
mod platform;

pub(super) use platform::Group;
