//! Whether a client is on this machine.

use std::path::{Path, PathBuf};

use super::Setup;
use crate::import::{Client, applications};

/// A client that is not on this machine.
#[derive(Clone, Debug, thiserror::Error)]
#[error("find {client}: there is no {}{programs}", .looked.display())]
pub struct NotInstalled {
    client: &'static str,
    looked: PathBuf,
    programs: String,
}

/// Looks for what a client leaves behind when it was started once, and for its programs.
pub(super) fn check(client: Client, setup: &Setup<'_>) -> Result<(), NotInstalled> {
    let home = &setup.places.home;
    let file = client.user_file(setup.places, setup.environment);
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let applications = applications(home, setup.environment);
    let (name, traces, programs): (_, Vec<PathBuf>, &[&str]) = match client {
        Client::Claude => ("Claude Code", vec![file, home.join(".claude")], &["claude"]),
        Client::ClaudeDesktop => ("Claude Desktop", vec![folder], &[]),
        Client::Cursor => ("Cursor", vec![folder], &["cursor", "cursor-agent"]),
        Client::Codex => ("Codex", vec![folder], &["codex"]),
        Client::VsCode => ("VS Code", vec![applications.join("Code")], &["code"]),
    };
    if traces.iter().any(|trace| trace.exists()) {
        return Ok(());
    }
    let path = setup.environment.get("PATH").unwrap_or_default();
    let is_there = |program: &&str| {
        std::env::split_paths(&path).any(|folder| {
            let names = if cfg!(windows) { [".exe", ".cmd"].as_slice() } else { &[""] };
            names.iter().any(|end| folder.join(format!("{program}{end}")).is_file())
        })
    };
    if programs.iter().any(is_there) {
        return Ok(());
    }
    let programs = match programs {
        [] => String::new(),
        programs => format!(", and no `{}` on the PATH", programs.join("` or `")),
    };
    Err(NotInstalled { client: name, looked: traces.into_iter().next().unwrap_or_default(), programs })
}
