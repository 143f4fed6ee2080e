//! A session that is open: made for one command, or kept, with the policy that its calls are held to.

use std::sync::Arc;
use std::time::Duration;

use carrel_contract::error::{Coded, CreateError};
use carrel_contract::{CodeModeSession, Durability, Limits, SessionMode, SessionSpec, ToolDescription};

use super::{Fault, Guard, Guarded, KEPT_EVENTS, OUTPUT_BYTES};
use crate::args::{CellArgs, Isolation};
use crate::exit::Exit;
use crate::provider::{self, Crowd, Home};
use crate::servers::Servers;
use crate::sessions::{Found, Place, Settings, Shelf, resume_fault};
use crate::units::show_bytes;

/// How long what came of a cell can be read in a kept session: nobody is gone for longer.
const OUTCOME_AGE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An open session.
pub(crate) struct Opened {
    pub(crate) session: Arc<dyn CodeModeSession>,
    pub(super) guarded: Guarded,
    pub(super) memory_bytes: usize,
    /// Where it is.
    home: Home,
    /// What a person calls it, where it is kept.
    pub(super) kept_as: Option<String>,
}

/// Opens the session in which a command's cells run, with the tools of these servers, under a policy where there is one.
/// Of one that is kept, the settings are written down before anything runs.
pub(crate) async fn open(
    (place, settings): (&Place, &Settings),
    isolation: Isolation,
    args: &CellArgs,
    mode: SessionMode,
    servers: &Servers,
    guard: Option<Guard>,
) -> Result<Opened, Fault> {
    let mut spec = SessionSpec::default();
    spec.mode = mode;
    spec.tools = servers.tools();
    spec.limits = limits(args);
    spec.time_zone.clone_from(&args.time_zone);
    spec.check = args.check;
    match place {
        Place::Passing => {
            let home = Home::new(isolation, None, Crowd::Few).map_err(|error| no_engine(&error))?;
            make(home, spec, servers, guard).await
        }
        Place::Kept(shelf, found) => {
            if *settings != found.settings {
                settings.write(&found.id)?;
            }
            resume((shelf, found), isolation, servers, guard).await
        }
        Place::New(shelf, name) => {
            let home = Home::new(isolation, Some(shelf), Crowd::Few).map_err(|error| no_engine(&error))?;
            spec.durability = Durability::Journaled;
            spec.name = Some(name.clone());
            spec.limits.outcome_age = OUTCOME_AGE;
            let claim = shelf.claim(name).await?;
            let made = match shelf.id_of(name.as_str()).await {
                Ok(None) => make(home, spec, servers, guard).await,
                Ok(Some(_)) => Err((
                    Exit::InUse,
                    format!("another process has just made the session `{name}`: try again"),
                )),
                Err(fault) => Err(fault),
            };
            claim.give_up().await;
            let opened = Opened { kept_as: Some(name.to_string()), ..made? };
            if let Err(fault) = settings.write(opened.session.id()) {
                opened.close().await;
                return Err(fault);
            }
            Ok(opened)
        }
    }
}

/// Takes a kept session over: its running cells go on.
pub(crate) async fn resume(
    (shelf, found): (&Shelf, &Found),
    isolation: Isolation,
    servers: &Servers,
    guard: Option<Guard>,
) -> Result<Opened, Fault> {
    let home = Home::new(isolation, Some(shelf), Crowd::Few).map_err(|error| no_engine(&error))?;
    let tools = servers.tools();
    let guarded = Guarded::new(servers.delegate(), guard, &tools);
    let session = home.provider().resume(found.id.clone(), Arc::clone(&guarded.delegate)).await;
    let session = session.map_err(|error| resume_fault(&found.name, &error))?;
    let memory_bytes = found.kept.spec.limits.memory_bytes;
    let opened = Opened { session, guarded, memory_bytes, home, kept_as: Some(found.name.clone()) };
    if tools != found.kept.spec.tools {
        opened.set_tools(tools).await?;
    }
    Ok(opened)
}

async fn make(
    home: Home,
    spec: SessionSpec,
    servers: &Servers,
    guard: Option<Guard>,
) -> Result<Opened, Fault> {
    let memory_bytes = spec.limits.memory_bytes;
    let guarded = Guarded::new(servers.delegate(), guard, &spec.tools);
    let session = home.provider().create(spec, Arc::clone(&guarded.delegate)).await;
    let session = session.map_err(|e| create_fault(&e, memory_bytes))?;
    Ok(Opened { session, guarded, memory_bytes, home, kept_as: None })
}

impl Opened {
    /// Gives the session other tools: cells that are admitted from now on have these.
    pub(crate) async fn set_tools(&self, tools: Vec<ToolDescription>) -> Result<(), Fault> {
        self.guarded.set_tools(&tools);
        let set = self.session.set_tools(tools).await;
        set.map_err(|error| (Exit::Internal, format!("failed to {error} ({})", error.code())))
    }

    /// Ends a session that is not kept. One that is kept is left as it is: whatever runs goes on when it is resumed.
    pub(crate) async fn close(self) {
        let Self { session, home, kept_as, .. } = self;
        if kept_as.is_none() {
            // It fails when its host is lost, which has ended it.
            session.shutdown().await.ok();
        }
        drop(session);
        home.close().await;
    }
}

fn limits(args: &CellArgs) -> Limits {
    let mut limits = args.limits();
    limits.output_bytes = OUTPUT_BYTES;
    limits.kept_events = KEPT_EVENTS;
    limits
}

fn no_engine(error: &carrel_contract::error::EngineFailure) -> Fault {
    (Exit::Internal, format!("failed to {error} ({})", error.code()))
}

fn create_fault(error: &CreateError, memory_bytes: usize) -> Fault {
    if let CreateError::InvalidSpec(invalid) = error
        && invalid.field == "limits.memory_bytes"
    {
        // The flag and its units, which is what the user knows of the field.
        let (least, most) = provider::memory_range();
        let (given, least, most) = (show_bytes(memory_bytes), show_bytes(least), show_bytes(most));
        let message = format!("`--memory` is {given}; accepted is {least} to {most} ({})", error.code());
        return (Exit::Usage, message);
    }
    let exit = match error {
        CreateError::InvalidSpec(_) | CreateError::Unsupported(_) => Exit::Usage,
        _ => Exit::Internal,
    };
    (exit, format!("failed to {error} ({})", error.code()))
}
