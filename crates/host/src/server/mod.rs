//! The host: serves the sessions of any provider to clients on byte streams.
//!
//! Read in this order: `listen` (where clients come from), `hosted` (one client, from its hello to its end), `connection` and
//! `request` (what a client asks) with `opening`, `admission`, `follow` and `reply`, `opened` (what it holds), `delegate` (what it is
//! asked) with `approval` and `checker`.

mod admission;
mod approval;
mod checker;
mod connection;
mod delegate;
mod follow;
mod hosted;
mod listen;
mod opened;
mod opening;
mod reply;
mod request;

pub use checker::ClientChecker;
pub use hosted::{Hosted, ServeError};
pub use listen::{Bound, InvalidListen, Listen, Listening, stdin_closed};
