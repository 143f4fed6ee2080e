//! Sockets between processes of one user, by the system.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use other::{Listener, Stream, connect, keep_to_owner};
#[cfg(unix)]
pub(super) use unix::{Listener, Stream, connect, keep_to_owner};
