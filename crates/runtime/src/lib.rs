//! Sessions in this process.
//!
//! [`InProcessProvider`] makes sessions; a session admits cells; each cell is an actor, a tokio task that owns
//! one VM, hands it events (answers, timers) and performs the effects that come out. Everything that happens
//! is appended to the session's log, and whoever observes reads the log with a cursor.
//!
//! Read in this order: `provider`, `session`, `seat` (where a session is: in memory, or asleep), `shared` (what cells and
//! sessions share), `admission` (who may run, decided under one lock), `cell` (the actor and what it keeps), `control` (how
//! others end it), `log` (what happened and who has read it), `observe` (waiting for it), `stored` (the values that carry
//! over), `notebook` (the variables of a persistent session), `earlier` (the cells that left them, for a type checker),
//! `tools` (what they may call), `journal` (what a session writes down), `keeper` (how sessions that are written down are
//! founded and brought back), `inspect` (what one is, while nobody has it), `telemetry` (what an operator sees), `travel`
//! (cells that ran, again), `guest` (where and for how long VMs run).
//!
//! Futures of this crate have to be polled inside a tokio runtime with its time driver enabled.

mod admission;
mod cell;
mod control;
mod earlier;
mod environment;
mod guest;
mod inspect;
mod journal;
mod keeper;
#[cfg(test)]
mod leaks;
mod log;
mod notebook;
mod number;
mod observe;
mod provider;
mod seat;
mod session;
mod shared;
mod stored;
mod sync;
mod tasks;
mod telemetry;
mod tools;
pub mod travel;

pub use environment::{Environment, SystemEnvironment};
pub use inspect::{Kept, KeptCell, WrittenCell, inspect, written};
pub use journal::Folding;
pub use provider::{InProcessProvider, Options};
pub use seat::Hibernation;

/// The README's embedding, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The guide to embedding, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Embedding;
