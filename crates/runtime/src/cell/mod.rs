//! One cell: the actor that runs it, and what it keeps.
//!
//! `actor` is the loop: wait for an event, hand it to the VM, perform the effects. `calls` makes a delegate's
//! futures of a cell's effects, `timers` keeps its timers, `ending` brings it to its end, `translate` turns the
//! engine's words into the contract's.

mod actor;
mod calls;
mod ending;
mod timers;
mod translate;

pub(crate) use actor::Cell;
