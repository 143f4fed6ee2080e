//! The other side: sessions whose cells run in a host, as the contract has them.
//!
//! Read in this order: `connection` (what was asked of a host), `channel` (one session on it) with `asked`, `callbacks` and
//! `callback`, `input`, `feed` and `sightings`; then `session` (what its owner holds) with `opening`, `residence` (the host that it is in, and
//! its move to another), `names`, `ledger`, `observation`, `delivery` and `follower`; and `provider`.

mod asked;
mod callback;
mod callbacks;
mod channel;
mod connection;
mod delivery;
mod feed;
mod follower;
mod input;
mod ledger;
mod names;
mod observation;
mod opening;
mod provider;
mod residence;
mod session;
mod sightings;
mod slot;
mod teller;
#[cfg(test)]
mod tests;

pub use connection::ConnectError;
pub(crate) use connection::{Connection, Epitaph, Greeting, Owner};
pub(crate) use provider::Home;
pub use provider::RemoteProvider;
