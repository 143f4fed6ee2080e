//! Where and for how long VMs run.
//!
//! Most turns of most cells take microseconds: they run in the cell's own task, without a change of thread.
//! One that uses up its slice there moves to the `lane`, a few threads that CPU-bound cells share in turns, so
//! that neither the embedder's tokio threads nor the other cells wait for it. The `ticker` ends the slices.

mod lane;
mod ticker;

pub(crate) use lane::{Away, Lane, Ran};
pub(crate) use ticker::Ticker;
