//! What a session writes down, so that it outlives its process.
//!
//! `writer` appends records and says what of them is durable, until there is `trouble`; `words` turns the contract's words into
//! the journal's and back. `history` reads a journal into what the session was, `folding` puts that into one piece and takes it
//! out again, and `recovery` begins with the newest such piece; `trust` says which snapshots count. `upkeep` makes these pieces,
//! and cuts off the journal before, by what `extent` knows of it. An ephemeral session has none of it.

mod announced;
mod extent;
mod folding;
mod history;
mod recovery;
mod trouble;
mod trust;
mod upkeep;
mod words;
mod writer;

pub(crate) use extent::Extent;
pub(crate) use history::{CellHistory, Checkpoint, Clock, History, Left, PendingCall, Saved, keep_names};
pub(crate) use recovery::{Recovered, begin, is_whole, read, recover};
pub(crate) use trouble::Trouble;
pub(crate) use trust::Trust;
pub use upkeep::Folding;
pub(crate) use upkeep::keep_short;
pub(crate) use words::{
    Nonsense, answer_back, as_json, call_id, content, content_back, json, json_of, outcome, outcome_back,
    status, text, tool_error, usage,
};
pub(crate) use writer::{Journal, Mark};
