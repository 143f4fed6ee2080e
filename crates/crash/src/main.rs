//! Kills a process that runs durable sessions, at every step of its journal in turn, starts it again, and checks what is
//! left: nothing that was acknowledged is lost, no call is made twice that must not be, and in the end there is what a
//! run without a crash leaves.
//!
//! `sweep` starts `child` again and again on one store; `child` kills itself, with SIGKILL, at the step it is told. What
//! the tools were called with, and what the child was told, is in a file of its own, the *world*, which no crash takes
//! back; what they really did, that must not be done twice, in another, the *ledger*.

mod child;
mod deadly;
mod fork;
mod ledger;
mod own;
mod script;
mod sweep;
mod told;
mod world;

use std::process::ExitCode;

use carrel_crash::{appends, simulation};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["append", folder, count] => appends::run(folder.as_ref(), count.parse().unwrap_or(0))
            .map_err(|error| error.to_string().into()),
        ["child", folder, script, step] => child::run(folder.as_ref(), script, step.parse().unwrap_or(0)),
        ["own", folder] => own::run(folder.as_ref()),
        ["simulate"] => simulation::run(1000, 1).map_err(Into::into),
        ["simulate", seeds] => simulation::run(seeds.parse().unwrap_or(1), 1).map_err(Into::into),
        ["simulate", seeds, first] => {
            simulation::run(seeds.parse().unwrap_or(1), first.parse().unwrap_or(1)).map_err(Into::into)
        }
        ["sweep"] => sweep::run(None),
        ["sweep", every] => sweep::run(every.parse().ok()),
        _ => Err("usage: carrel-crash sweep [EVERY]: kill at each step, or at each EVERYth".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("carrel-crash: {error}");
            ExitCode::FAILURE
        }
    }
}
