//! One cell: the actor that runs it, and what it keeps.
//!
//! `opening` is how it begins, `check` the check of its types before it does, `written` what its author wrote and what of it runs, `actor` is the loop: wait for an event,
//! hand it to the VM, perform the `effects`. `callbacks` are what it asks of its delegate, `status` what it hears of a call
//! under way and `caller` where they run, `questions` what it asks about its tools, `timers` its timers, `warnings` what its
//! author should know, `variables` what it leaves to the next cell of a persistent session; `saving` keeps its VM, `parked` what else stays of it while its session sleeps, and
//! `replay`, which finds its `trace`s again, brings it back where sessions outlive their process; `ending` brings
//! it to its end, and `translate` turns the engine's words into the contract's.

mod actor;
mod callbacks;
mod caller;
mod check;
mod effects;
mod ending;
mod gathering;
mod opening;
mod parked;
mod questions;
mod replay;
mod saving;
mod status;
mod timers;
pub(crate) mod trace;
pub(crate) mod translate;
mod variables;
mod warnings;
mod written;

pub(crate) use actor::Cell;
pub(crate) use effects::content;
pub(crate) use ending::run;
pub(crate) use opening::{Ground, Opening};
pub(crate) use parked::Parked;
pub(crate) use questions::Question;
pub(crate) use written::Written;
