//! `carrel host`: serves sessions to clients in other processes.

use std::sync::Arc;

use carrel_host::{Hosted, Listen, stdin_closed};
use carrel_journal::{Sqlite, Store};

use crate::args::HostArgs;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::provider;

/// The longest secret.
const TOKEN_BYTES: usize = 4096;

/// Does what has to be done before this process has a second thread.
pub(crate) fn prepare(args: &HostArgs) -> Result<(), Exit> {
    let Some(parent) = args.parent else { return Ok(()) };
    match carrel_host::die_with_parent(parent) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Exit::Success),
        Err(error) => Err(fail(Exit::Internal, &format!("end with the parent: {error}"))),
    }
}

/// Runs the command.
pub(crate) async fn run(args: HostArgs, interrupt: Interrupt) -> Exit {
    match attempt(&args, &interrupt).await {
        Ok(()) => interrupt.exit().unwrap_or(Exit::Success),
        Err(exit) => exit,
    }
}

async fn attempt(args: &HostArgs, interrupt: &Interrupt) -> Result<(), Exit> {
    if matches!(args.listen, Listen::Tcp(_)) && args.token_file.is_none() {
        return Err(fail(
            Exit::Usage,
            "listen on a port without `--token-file`: every user of the machine could come",
        ));
    }
    let token = match &args.token_file {
        None => None,
        Some(file) => {
            let failed = |error: &dyn std::fmt::Display| {
                fail(Exit::Usage, &format!("read the token in {}: {error}", file.display()))
            };
            let token = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
            let token = token.trim().to_owned();
            if !(1..=TOKEN_BYTES).contains(&token.len()) {
                return Err(failed(&format!("it has {} bytes; accepted is 1 to {TOKEN_BYTES}", token.len())));
            }
            Some(token)
        }
    };
    let store = match &args.store {
        None => None,
        Some(file) => {
            let store = Sqlite::open(file);
            let store =
                store.map_err(|error| fail(Exit::Usage, &format!("open {}: {error}", file.display())))?;
            Some(Arc::new(store) as Arc<dyn Store>)
        }
    };
    let provider = provider::serving(store).map_err(|error| fail(Exit::Internal, &error.to_string()))?;
    let name = format!("carrel {} (process {})", env!("CARGO_PKG_VERSION"), std::process::id());
    let mut hosted = Hosted::new(provider, name).with_token(token);
    if args.listen != Listen::Stdio {
        hosted = hosted.lingering(args.linger);
    }
    let listening = args.listen.bind().await;
    let listening = listening.map_err(|error| fail(Exit::Usage, &format!("listen: {error}")))?;
    if args.listen != Listen::Stdio {
        println!("listening on {}", listening.place());
    }
    let kept = async {
        match args.parent {
            Some(_) if args.listen != Listen::Stdio => stdin_closed().await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        served = listening.serve(Arc::new(hosted)) => {
            served.map_err(|error| fail(Exit::Internal, &error.to_string()))
        }
        _ = interrupt.fired() => Ok(()),
        () = kept => Ok(()),
    }
}

fn fail(exit: Exit, message: &str) -> Exit {
    eprintln!("carrel host: failed to {message}");
    exit
}
