//! The gRPC protocol: `codex.code_mode.v1.CodeModeHost` over HTTP/2, on a pair of pipes or on a port.

mod call;
mod client;
mod convert;
mod events;
mod host;
mod ids;
mod lease;
pub mod messages;
mod observation;
mod pending;
mod server;
mod subscription;

pub use server::{serve_connection, serve_port};

/// The longest message, in each direction.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
