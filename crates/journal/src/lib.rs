//! What a session writes down, and where.
//!
//! A session's *journal* is a sequence of *entries*, counted from 1 ([`Position`]). An entry is what was written at once: a
//! few [`Record`]s in the frame of [`entry`], with a checksum chained to that of the entry before. A [`Store`] keeps entries
//! as bytes that it does not read, large values beside them as [`Blob`]s by content hash, and says who owns a session
//! ([`Lease`]). [`Memory`] is the store of tests and of sessions that nothing has to outlive.
//!
//! What the records mean is for the runtime to know. This crate knows the contract's ids and futures, and no actor, no
//! engine, no executor and no face.

mod beginning;
mod blob;
mod chain;
pub mod check;
pub mod entry;
pub mod error;
pub mod export;
pub mod fold;
pub mod fork;
pub mod import;
mod lease;
mod memory;
mod numbering;
mod position;
mod process;
pub mod record;
mod reread;
mod signature;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;

pub use beginning::{Beginning, BeginningError};
pub use blob::{Blob, BlobHash};
pub use chain::Chain;
pub use lease::{Lease, Owner};
pub use memory::Memory;
pub use numbering::Numbering;
pub use position::Position;
pub use record::Record;
pub use reread::reread;
pub use signature::{KeyFileError, Signature, SnapshotKey};
#[cfg(feature = "sqlite")]
pub use sqlite::{Compacted, Sqlite};
pub use store::{
    Cut, Head, MAX_APPEND_BYTES, MAX_BLOB_BYTES, MAX_ENTRY_BYTES, MAX_FIRST_APPEND_BYTES, Page, Store,
};
pub use tail::Tail;
