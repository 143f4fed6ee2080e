//! What travels between a host process and its client, and nothing that acts.
//!
//! A byte stream carries *frames* ([`frame`]); frames carry *messages*, whole or in chunks, each of which belongs to a
//! *stream*, which is a session or, 0, the connection itself. A client says [`ToHost`], a host says [`ToClient`]; both begin
//! with a [`Hello`]. Messages are CBOR with numbered fields, as a journal's records are and for the same reasons
//! (`crates/journal/src/record.rs`): a field that came later is passed over by older readers, and absent ones are read as
//! absent.
//!
//! The types here are the wire's own. They become the contract's by `TryFrom`, which checks every id, name and JSON text,
//! because a peer is not trusted in either direction. `docs/protocol.md` describes all of it for writers of other clients.

mod check;
mod client;
mod content;
mod event;
mod failure;
mod fault;
pub mod frame;
mod hello;
mod host;
mod known;
mod list;
mod notice;
mod observation;
mod reason;
mod request;
mod response;
mod same;
mod spec;
mod text;
mod tool;

pub use check::{Check, Checked, Diagnostic, Earlier, Unchecked};
pub use client::{Reply, StoredKey, ToClient};
pub use content::{Content, Detail, Level};
pub use event::{Event, EventKind, Item};
pub use failure::{CellFailure, FailureKind, Place};
pub use fault::{Fault, FromFault};
pub use hello::{APPROVALS, CHECKS, Hello, Incompatible, MAGIC, VERSION};
pub use host::{Progress, ToHost};
pub use list::{FEW, MANY};
pub use notice::Notice;
pub use observation::{Observation, OutputItem, Usage};
pub use reason::Reason;
pub use request::{Execute, Fork, Reading, Until, Wait};
pub use response::{Observed, State};
pub use spec::{Dialect, Durability, Hints, Kind, Limits, Mode, Origin, Spec, Tool, ToolResult};
pub use text::{Malformed, Text, decode, encode};
pub use tool::{Call, LookedUp, ToolCode, ToolFailure};
