//! The host: serves the sessions of any provider to clients on byte streams.

mod connection;
mod delegate;
mod follow;
mod listen;
mod opened;

pub use connection::{Hosted, ServeError};
pub use listen::{InvalidListen, Listen, Listening, stdin_closed};
