//! What a session writes down, so that it outlives its process.
//!
//! `writer` appends records and says what of them is durable, `words` turns the contract's words into the journal's and
//! back, `history` reads a journal into what the session was, and `recovery` makes a session of that. An ephemeral
//! session has none of it.

mod history;
mod recovery;
mod words;
mod writer;

pub(crate) use history::{CellHistory, Checkpoint, History, PendingCall, Saved};
pub(crate) use recovery::recover;
pub(crate) use words::{as_json, content, outcome, status, tool_error, usage};
pub(crate) use writer::{Journal, Mark, Trouble};
