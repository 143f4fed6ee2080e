//! What both transports serve: sessions of a provider, under the rules of a code-mode host.
//!
//! A transport reads requests, has a [`Session`] do them, and writes what comes of it; through [`Client`] the session asks the
//! transport for what only its client can do. The rules that a session of the contract does not have are here: one observer
//! a cell, an outcome that is given once, the second that long waits get on top, and who cuts output how.

mod cell;
mod input;
mod names;
mod outlet;
mod response;
mod retention;
mod session;
mod settings;
mod sound;
mod truncation;
mod yield_time;

pub(crate) use cell::{Cell, Ticket};
pub(crate) use outlet::{Client, Invocation, Turn};
pub(crate) use response::{Answer, Detail, Ending, Item, Response, Waited};
pub(crate) use session::{Admitted, Budget, Run, Session, Tool, Unopened};
pub(crate) use settings::Settings;
pub(crate) use truncation::cut_error;

pub(crate) use carrel_contract::{ToolKind, ToolOrigin as ToolName};
