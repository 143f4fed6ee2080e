//! `carrel fork`: another session, of what this one was.

use carrel_contract::error::{Coded, ForkError};
use carrel_contract::{ForkRequest, Seq, SessionName};

use super::find;
use crate::args::ForkArgs;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::provider;
use crate::run::Fault;
use crate::sessions::{Settings, Shelf};
use crate::terminal::{Terminal, Tone};

/// Runs the command. Prints what the new session is called.
pub(crate) async fn run(args: ForkArgs) -> Exit {
    let printer = Printer::new(Terminal::detect());
    match perform(&args).await {
        Ok(called) => printer.data(&called).map_or_else(|error| error.report(&printer), |()| Exit::Success),
        Err((exit, message)) => {
            printer.note(Tone::Error, &message);
            exit
        }
    }
}

async fn perform(args: &ForkArgs) -> Result<String, Fault> {
    let (shelf, origin) = find(&args.session).await?;
    let mut request = ForkRequest::new(origin);
    request.at = args.at.map(Seq);
    let Some(name) = &args.name else { return fork(&shelf, request).await };
    let name = SessionName::new(name).map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    let claim = shelf.claim(&name).await?;
    let made = match shelf.id_of(name.as_str()).await {
        Ok(None) => fork(&shelf, request.named(name.clone())).await.map(|_| name.to_string()),
        Ok(Some(_)) => Err((Exit::Usage, format!("there is a session `{name}` already"))),
        Err(fault) => Err(fault),
    };
    claim.give_up().await;
    made
}

async fn fork(shelf: &Shelf, request: ForkRequest) -> Result<String, Fault> {
    // Its cells are to go on under the policy that they began under.
    let settings = Settings::read(&request.session_id)?;
    let provider = provider::keeping(shelf.as_store())
        .map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    let id = provider.draw_id(request.name.as_ref());
    let id = id.map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))?;
    // Before anybody can find it: whoever resumes the fork at once finds the policy, too.
    if settings != Settings::default() {
        settings.write(&id)?;
    }
    provider.fork_as(request, &id).await.map_err(|error| {
        Settings::forget(&id);
        let exit = match &error {
            ForkError::InvalidRequest(_) | ForkError::UnknownSession(_) | ForkError::HistoryCut(_) => {
                Exit::Usage
            }
            ForkError::Corrupt(_) => Exit::Failed,
            _ => Exit::Internal,
        };
        (exit, format!("failed to {error} ({})", error.code()))
    })?;
    Ok(id.to_string())
}
