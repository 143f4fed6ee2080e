//! Where the cells of a command run: in a session that ends with the command, in one that is kept from now on, or in one that
//! is kept already.

use std::time::Duration;

use carrel_contract::{SessionMode, SessionName};

use super::{Found, Settings, Shelf};
use crate::args::{CellArgs, NamedArgs};
use crate::exit::Exit;
use crate::run::Fault;
use crate::units::{show_bytes, show_duration};

/// Where cells run.
pub(crate) enum Place {
    /// In a session that ends with the command.
    Passing,
    /// In a session that is made now.
    New(Shelf, SessionName),
    /// In a session that is there.
    Kept(Shelf, Box<Found>),
}

impl Place {
    /// Finds the session that the arguments name, and holds it to what else they ask for.
    pub(crate) async fn find(named: &NamedArgs, cells: &CellArgs, mode: SessionMode) -> Result<Self, Fault> {
        let Some(name) = named.session.as_ref().filter(|_| !named.ephemeral) else {
            return Ok(Self::Passing);
        };
        let shelf = Shelf::open()?;
        match shelf.find(name.as_str()).await? {
            None => Ok(Self::New(shelf, name.clone())),
            Some(found) => {
                fits(&found, cells, mode).map_err(|problem| (Exit::Usage, problem))?;
                Ok(Self::Kept(shelf, Box::new(found)))
            }
        }
    }

    /// Returns what the session's commands need not name.
    pub(crate) fn settings(&self) -> Settings {
        match self {
            Self::Kept(_, found) => found.settings.clone(),
            _ => Settings::default(),
        }
    }

    /// Refuses a session with cells that have not ended.
    pub(crate) fn refuse_unfinished(&self) -> Result<(), Fault> {
        let Self::Kept(_, found) = self else { return Ok(()) };
        let running: Vec<_> =
            found.kept.cells.iter().filter(|cell| cell.is_running).map(|cell| cell.id.as_str()).collect();
        if running.is_empty() {
            return Ok(());
        }
        let (name, running) = (&found.name, running.join(", "));
        let message = format!(
            "the session `{name}` has not ended {running}: `carrel resume {name}` lets that go on first"
        );
        Err((Exit::Usage, message))
    }
}

/// Says what of the arguments a session that is there does not do.
fn fits(found: &Found, cells: &CellArgs, mode: SessionMode) -> Result<(), String> {
    let (name, spec) = (&found.name, &found.kept.spec);
    if mode == SessionMode::Persistent && spec.mode != mode {
        return Err(format!(
            "the session `{name}` was made by `carrel run`: its cells share stored values and no variables, which `carrel repl` needs; name another"
        ));
    }
    let limits = &spec.limits;
    let asked_for = [
        (
            "--memory",
            cells.memory.filter(|it| *it != limits.memory_bytes).map(|_| show_bytes(limits.memory_bytes)),
        ),
        (
            "--cpu-time",
            cells
                .cpu_time
                .filter(|it: &Duration| *it != limits.cpu_time)
                .map(|_| show_duration(limits.cpu_time)),
        ),
        (
            "--time-zone",
            cells
                .time_zone
                .as_ref()
                .filter(|it| Some(*it) != spec.time_zone.as_ref())
                .map(|_| spec.time_zone.clone().unwrap_or_else(|| "UTC".to_owned())),
        ),
        ("--check", (cells.check && !spec.check).then(|| "no check".to_owned())),
    ];
    match asked_for.into_iter().find_map(|(flag, has)| has.map(|has| (flag, has))) {
        Some((flag, has)) => {
            Err(format!("`{flag}` counts when a session is made, and `{name}` was made with {has}"))
        }
        None => Ok(()),
    }
}
