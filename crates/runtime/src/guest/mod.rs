//! Where and for how long VMs run.
//!
//! Most turns of most cells take microseconds: they run in the cell's own task, without a change of thread.
//! One that uses up its slice there moves to the `lane`, a few threads that CPU-bound cells share in `turns`, so
//! that neither the embedder's tokio threads nor the other cells wait for it. What is expected to use up its slice goes
//! there at once: a cell that did so before, and any new cell once new cells have spent the `credit`. The `ticker` ends
//! the slices; and while it is at it, it has a `watch` on threads that are stuck in a delegate.

mod credit;
mod lane;
mod ticker;
mod turns;
mod watch;

pub(crate) use lane::{Away, Lane, Ran};
pub(crate) use ticker::Ticker;
pub(crate) use turns::Party;
