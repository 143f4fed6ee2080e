//! `carrel rm`: forgets sessions with all they kept.

use carrel_contract::CodeModeSessionProvider as _;
use carrel_contract::error::{Coded, DeleteError};

use super::{Settings, Shelf, in_use};
use crate::args::RemoveArgs;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::provider;
use crate::run::Fault;
use crate::terminal::{Terminal, Tone};

/// Runs the command: each session by itself, and the exit code is that of the first that stays.
pub(crate) async fn run(args: RemoveArgs) -> Exit {
    let printer = Printer::new(Terminal::detect());
    let mut exit = Exit::Success;
    for name in &args.sessions {
        match remove(name).await {
            Ok(()) => printer.note(Tone::Plain, &format!("removed `{name}`")),
            Err((fault, message)) => {
                printer.note(Tone::Error, &message);
                exit = if exit == Exit::Success { fault } else { exit };
            }
        }
    }
    exit
}

async fn remove(name: &str) -> Result<(), Fault> {
    let unknown = || (Exit::Usage, format!("there is no session `{name}`; `carrel sessions` lists them"));
    let Some(shelf) = Shelf::look()? else { return Err(unknown()) };
    let Some(id) = shelf.id_of(name).await? else { return Err(unknown()) };
    let provider = provider::keeping(shelf.as_store())
        .map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    provider.delete(id.clone()).await.map_err(|error| match error {
        DeleteError::OwnedElsewhere(owned) => in_use(name, &owned.owner),
        DeleteError::UnknownSession(_) => unknown(),
        other => (Exit::Internal, format!("failed to {other} ({})", other.code())),
    })?;
    Settings::forget(&id);
    Ok(())
}
