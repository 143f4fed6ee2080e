//! Sessions that are kept: `carrel sessions`, `carrel resume`, `carrel rm`, and where `run` and `repl` find theirs.
//!
//! [`shelf`] finds a session by its name in the store, [`place`] says where the cells of a command run, [`settings`] what
//! need not be named again, [`list`], [`resume`] and [`remove`] are the commands. What a person is told of owners and faults is here.

mod index;
mod list;
mod place;
mod remove;
mod resume;
mod settings;
mod shelf;

use carrel_contract::error::{Coded, ResumeError};

use crate::exit::Exit;
use crate::run::Fault;
pub(crate) use list::run as list;
pub(crate) use place::Place;
pub(crate) use remove::run as remove;
pub(crate) use resume::run as resume;
pub(crate) use settings::Settings;
pub(crate) use shelf::{Found, Shelf};

/// Says who has a session, for a person.
fn owner(name: &str) -> String {
    // `process 12 of START in BOOT/SPACE, owner 0`: a process of a machine.
    let process = name.strip_prefix("process ").and_then(|rest| rest.split_once(" of "));
    process.map_or_else(|| name.to_owned(), |(pid, _)| format!("process {pid}"))
}

/// Says that a session is another's.
fn in_use(name: &str, by: &str) -> Fault {
    let message = format!("the session `{name}` is in use by {}; it is free when that ends", owner(by));
    (Exit::InUse, message)
}

/// Says why a session is not there, or cannot be had.
pub(crate) fn resume_fault(name: &str, error: &ResumeError) -> Fault {
    match error {
        ResumeError::OwnedElsewhere(owned) => in_use(name, &owned.owner),
        ResumeError::UnknownSession(_) => {
            (Exit::Usage, format!("there is no session `{name}`; `carrel sessions` lists them"))
        }
        other => (Exit::Internal, format!("failed to {other} ({})", other.code())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_named_as_people_know_them() {
        assert_eq!(owner("process 12 of 3456 in 0f-1/pid:[4026531836], owner 0"), "process 12");
        assert_eq!(owner("node-7"), "node-7");
    }
}
