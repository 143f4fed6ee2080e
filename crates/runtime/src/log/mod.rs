//! A session's log: what happened, in order, and who has read it.
//!
//! `session_log` appends and reads, `cell_log` is its index by cell, `window` keeps a cell's output within its
//! bounds, `budget` cuts a response to size, `stream` follows the log for `events()`, and `folded` writes it down as it is at a
//! moment, for a journal whose beginning is to go.

mod budget;
mod cell_log;
mod folded;
mod session_log;
mod stream;
mod window;

pub(crate) use budget::cut_text;
pub(crate) use cell_log::{Keyed, Outcome, Reader};
pub(crate) use session_log::{Missing, SessionLog};
pub(crate) use stream::follow;
