//! The JSON protocol: frames on a byte stream, one client a connection.

mod answers;
mod client;
mod connection;
mod frame;
mod hello;
mod host;
mod link;
mod outbox;
mod requests;
mod serve;

pub use frame::MAX_FRAME_BYTES;
pub use serve::{ConnectionError, serve};
