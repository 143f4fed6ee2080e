//! `carrel host`: serves sessions to clients in other processes, from a sandbox of the system's.

use std::fmt::Display;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use carrel_contract::{CodeModeSessionProvider as _, ExecuteRequest, SessionSpec};
use carrel_host::sandbox::{self, Confined, Level, SandboxError};
use carrel_host::{Bound, ClientChecker, Hosted, Listen, stdin_closed};
use carrel_journal::{SnapshotKey, Sqlite, Store};
use carrel_runtime::InProcessProvider;

use crate::args::{HostArgs, Sandbox};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::provider;
use crate::servers;

/// The longest secret.
const TOKEN_BYTES: usize = 4096;
/// Longer than the trial cell takes on a working machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host that has what it needs, and has given up what it can before it has a second thread.
pub(crate) struct Ready {
    /// `None` for one that only tries its sandbox.
    bound: Option<Bound>,
    store: Option<(PathBuf, Option<SnapshotKey>)>,
    cells: Option<u32>,
    token: Option<String>,
    linger: Duration,
    has_parent: bool,
    processors: NonZeroUsize,
    sandbox: Sandbox,
    /// `None` without a sandbox.
    confined: Option<Confined>,
}

/// Takes what needs rights that the host gives up, and gives up what can be before there is a second thread.
pub(crate) fn prepare(args: &HostArgs, processors: NonZeroUsize) -> Result<Ready, Exit> {
    if matches!(args.listen, Some(Listen::Tcp(_))) && args.token_file.is_none() {
        return Err(fail(
            Exit::Usage,
            "listen on a port without `--token-file`: every user of the machine could come",
        ));
    }
    // First of all: this may start the program again.
    let stripped = match args.sandbox {
        Sandbox::Off => None,
        Sandbox::Required | Sandbox::BestEffort => Some(sandbox::strip().map_err(|error| refused(&error))?),
    };
    if let Some(parent) = args.parent {
        match carrel_host::die_with_parent(parent) {
            Ok(true) => {}
            Ok(false) => return Err(Exit::Success),
            Err(error) => return Err(fail(Exit::Internal, &format!("end with the parent: {error}"))),
        }
    }
    let token = args.token_file.as_deref().map(read_token).transpose()?;
    let store = args.store.as_deref().map(place_of).transpose()?;
    let bound = args.listen.as_ref().map(Listen::bind).transpose().map_err(|error| deaf(&error))?;
    let key = args.snapshot_key.as_deref().map(read_key).transpose()?;
    let folder = store.as_deref().and_then(Path::parent);
    let confined = stripped.map(|stripped| stripped.confine(folder)).transpose();
    Ok(Ready {
        bound,
        token,
        linger: args.linger,
        has_parent: args.parent.is_some(),
        processors,
        sandbox: args.sandbox,
        confined: confined.map_err(|error| refused(&error))?,
        cells: args.cells,
        store: store.map(|store| (store, key)),
    })
}

fn read_token(file: &Path) -> Result<String, Exit> {
    let failed =
        |error: &dyn Display| fail(Exit::Usage, &format!("read the token in {}: {error}", file.display()));
    let token = fs::read_to_string(file).map_err(|error| failed(&error))?;
    let token = token.trim().to_owned();
    if !(1..=TOKEN_BYTES).contains(&token.len()) {
        return Err(failed(&format!("it has {} bytes; accepted is 1 to {TOKEN_BYTES}", token.len())));
    }
    Ok(token)
}

fn read_key(file: &Path) -> Result<SnapshotKey, Exit> {
    let key = SnapshotKey::of_file(file);
    key.map_err(|error| fail(Exit::Usage, &format!("use the key of snapshots: {error}")))
}

/// Sees that the store's file and folder are there, and returns where they really are.
fn place_of(file: &Path) -> Result<PathBuf, Exit> {
    let failed = |error: &dyn Display| fail(Exit::Usage, &format!("open {}: {error}", file.display()));
    Sqlite::make_file(file).map_err(|error| failed(&error))?;
    fs::canonicalize(file).map_err(|error| failed(&error))
}

/// Runs the command.
pub(crate) async fn run(ready: Ready, interrupt: Interrupt) -> Exit {
    match attempt(ready, &interrupt).await {
        Ok(()) => interrupt.exit().unwrap_or(Exit::Success),
        Err(exit) => exit,
    }
}

async fn attempt(ready: Ready, interrupt: &Interrupt) -> Result<(), Exit> {
    let store = match ready.store {
        None => None,
        Some((file, key)) => {
            let store = Sqlite::open(&file);
            let store =
                store.map_err(|error| fail(Exit::Usage, &format!("open {}: {error}", file.display())))?;
            Some((Arc::new(store) as Arc<dyn Store>, key))
        }
    };
    let checker = Arc::<ClientChecker>::default();
    let provider = provider::hosting(store, Arc::clone(&checker), ready.cells, ready.processors);
    let provider = provider.map_err(|error| fail(Exit::Internal, &error.to_string()))?;
    let (place, is_for_many) = match &ready.bound {
        Some(bound) => (bound.place(), !matches!(bound, Bound::Stdio(..))),
        None => (String::new(), false),
    };
    let listening = ready.bound.map(Bound::listen).transpose().map_err(|error| deaf(&error))?;
    let closed = (is_for_many && ready.has_parent).then(stdin_closed);
    // The threads that there are without a cell are there, and the engine's code is in memory.
    let level = ready.confined.map(|confined| seal(confined, ready.sandbox)).transpose()?;
    let Some(listening) = listening else { return try_out(&provider, level.as_ref()).await };

    let name = format!("carrel {} (process {})", env!("CARGO_PKG_VERSION"), std::process::id());
    let hosted = Hosted::new(Arc::clone(&provider) as _, name);
    let mut hosted = hosted.with_token(ready.token).checked_by(checker);
    if is_for_many {
        hosted = hosted.lingering(ready.linger);
        println!("listening on {place}");
    }
    let kept = async {
        match closed {
            Some(closed) => closed.await,
            None => std::future::pending().await,
        }
    };
    let hosted = Arc::new(hosted);
    let served = tokio::select! {
        served = listening.serve(Arc::clone(&hosted)) => {
            served.map_err(|error| fail(Exit::Internal, &error.to_string()))
        }
        _ = interrupt.fired() => Ok(()),
        () = kept => Ok(()),
    };
    let left = async {
        // Elsewhere sessions may be kept for clients that come back.
        if !is_for_many {
            hosted.finished().await;
        }
        provider.settle().await;
    };
    // What is not written down is done again.
    tokio::time::timeout(provider::LEAVING, left).await.ok();
    served
}

/// Gives up the rest, and says what the kernel did not take.
fn seal(confined: Confined, sandbox: Sandbox) -> Result<Level, Exit> {
    let level = confined.seal().map_err(|error| refused(&error))?;
    if !level.is_full() {
        let found = format!("this kernel has of the sandbox: {level}");
        if sandbox == Sandbox::Required {
            let help = "`--sandbox best-effort` does with that";
            return Err(fail(Exit::Internal, &format!("enter the sandbox: {found}; {help}")));
        }
        eprintln!("carrel host: warning: {found}; docs/sandbox.md says what a host could do then");
    }
    Ok(level)
}

/// Runs a cell in the sandbox, and says how that one is.
async fn try_out(provider: &InProcessProvider, level: Option<&Level>) -> Result<(), Exit> {
    let failed = |error: &dyn Display| fail(Exit::Internal, &format!("run a cell in the sandbox: {error}"));
    let session = provider.create(SessionSpec::default(), servers::no_tools()).await;
    let session = session.map_err(|error| failed(&error))?;
    let started = session.execute(ExecuteRequest::new("text('hi')").with_yield_time(PATIENCE)).await;
    let response = started.map_err(|error| failed(&error))?.first_response.await;
    let response = response.map_err(|error| failed(&error))?;
    if response.text() != "hi" {
        return Err(failed(&format!("it ended as {response:?}")));
    }
    println!("{}", level.map_or_else(|| "off".to_owned(), ToString::to_string));
    Ok(())
}

fn deaf(error: &std::io::Error) -> Exit {
    fail(Exit::Usage, &format!("listen: {error}"))
}

fn refused(error: &SandboxError) -> Exit {
    fail(Exit::Internal, &format!("{error}; `--sandbox off` does without, for cells that can be trusted"))
}

fn fail(exit: Exit, message: &str) -> Exit {
    eprintln!("carrel host: failed to {message}");
    exit
}
