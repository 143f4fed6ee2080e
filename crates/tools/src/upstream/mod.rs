//! One MCP server, for as long as it is configured: connected to, lost, and connected to again.

mod attempt;
mod backoff;
mod call;
mod connection;
mod error;
mod group;
mod http;
#[expect(
    deprecated,
    reason = "the protocol's later versions do without log messages; the servers there are do not"
)]
mod inlet;
mod listing;
mod options;
mod process;
mod server;
mod stdio;
mod tail;
mod trace;
mod vitals;
mod warning;

pub use error::{
    CommandNotFound, ConnectError, ConnectFailure, ConnectTimedOut, HttpRejected, LastWords,
    MissingDirectory, NameTaken, ProtocolFailure, ServerExited, SpawnFailed, Unreachable,
};
pub use options::ConnectOptions;
pub(crate) use server::{Connected, Upstream};
pub use trace::{InvalidTraceParent, TraceParent, TraceSource};
pub use warning::{IdlePatterns, MalformedTools, ServerWarning, TooManyTools};
