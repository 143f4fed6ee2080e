//! The other side: sessions whose cells run in a host, as the contract has them.

mod channel;
mod connection;
mod feed;
mod ledger;
mod names;
mod provider;
mod session;

pub use connection::ConnectError;
pub(crate) use connection::{Connection, Epitaph, Greeting, Owner};
pub(crate) use provider::Home;
pub use provider::RemoteProvider;
