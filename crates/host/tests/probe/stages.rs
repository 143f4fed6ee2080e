//! Where something is tried: how far into the sandbox.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::channel;

use carrel_host::sandbox::{SandboxError, strip};

use super::actions::act;

/// What the actions are done to.
pub(super) struct Targets {
    /// The folder that a journal would be in.
    pub(super) folder: PathBuf,
    /// Another, with a file `secret` and a socket `socket`.
    pub(super) outside: PathBuf,
    /// Where somebody listens.
    pub(super) port: u16,
    /// Who started this.
    pub(super) parent: i32,
}

/// Enters the stage that the arguments name, and tries what they name there.
pub(super) fn run() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().unwrap_or_default();
    let (stage, action) = (next(), next());
    let (folder, outside) = (PathBuf::from(next()), PathBuf::from(next()));
    let port = next().parse().unwrap_or(0);
    match enter(&stage, &folder) {
        Ok(level) => println!("{level}"),
        Err(error) => {
            eprintln!("failed to {error}");
            return ExitCode::from(2);
        }
    }
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    match act(&action, &Targets { folder, outside, port, parent }) {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::from(1),
        None => ExitCode::from(2),
    }
}

fn enter(stage: &str, folder: &Path) -> Result<String, SandboxError> {
    if stage == "free" {
        return Ok("free".to_owned());
    }
    let folder = (stage != "sealed").then_some(folder);
    let confined = strip()?.confine(folder)?;
    // A thread that was there before, as a host has some.
    let (sender, receiver) = channel::<()>();
    std::thread::spawn(move || receiver.recv());
    let level = match stage {
        "confined" => "confined".to_owned(),
        _ => confined.seal()?.to_string(),
    };
    drop(sender);
    Ok(level)
}
