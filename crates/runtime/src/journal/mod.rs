//! What a session writes down, so that it outlives its process.
//!
//! `writer` appends records and says what of them is durable, `words` turns the contract's words into the journal's and
//! back, `history` reads a journal into what the session was, and `recovery` makes a session of that. An ephemeral
//! session has none of it.

mod announced;
mod history;
mod recovery;
mod words;
mod writer;

pub(crate) use history::{CellHistory, Checkpoint, History, PendingCall, Saved};
pub(crate) use recovery::{read, recover};
pub(crate) use words::{
    Nonsense, answer_back, as_json, call_id, content, content_back, json, outcome, outcome_back, status,
    text, tool_error, usage,
};
pub(crate) use writer::{Journal, Mark, Trouble};
