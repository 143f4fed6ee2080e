//! Sessions in another process.
//!
//! [`Hosted`] serves the sessions of any provider over a byte stream, in the protocol of `carrel-wire`. [`RemoteProvider`] is the other end: a
//! provider like any other, whose sessions a host has.
//!
//! Read in this order: `link` (messages of many streams on one byte stream), `server` (the host's side), `client` (the
//! other side), `process` (hosts that are started and supervised), `sandbox` (what a host gives up), `watch` (delegates that
//! block the client's threads), `strange` (peers that say anything at all, for tests).

mod client;
mod link;
mod process;
pub mod sandbox;
mod server;
#[cfg(any(test, feature = "testing"))]
pub mod strange;
mod watch;

pub use client::{ConnectError, RemoteProvider};
pub use process::{HostCommand, Pool, ProcessOptions, ProcessProvider, Transport, die_with_parent};
pub use server::{Bound, ClientChecker, Hosted, InvalidListen, Listen, Listening, ServeError, stdin_closed};
