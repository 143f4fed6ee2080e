//! The JSON protocol: frames on a byte stream, one client a connection.

mod client;
mod connection;
mod frame;
mod hello;
mod host;
mod link;
mod outbox;
mod requests;

pub use connection::{ConnectionError, serve};
pub use frame::MAX_FRAME_BYTES;
