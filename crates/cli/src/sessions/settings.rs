//! What the commands of a kept session need not name again: its configurations and its policy, those that a command named last.
//!
//! A cell that goes on must not do so without the policy that it began under because nobody named it. So this is written down
//! before a cell is run. It holds paths, and no secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use carrel_contract::SessionId;
use serde::{Deserialize, Serialize};

use crate::data;
use crate::exit::Exit;
use crate::run::Fault;
use crate::servers;

/// What was named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Configurations of servers.
    pub(crate) mcp: Vec<PathBuf>,
    pub(crate) policy: Option<PathBuf>,
}

impl Settings {
    /// Reads what is written down of a session.
    pub(crate) fn read(session: &SessionId) -> Result<Self, Fault> {
        let path = path(session)?;
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        serde_json::from_slice(&text).map_err(|error| failed("read", &path, &error))
    }

    /// Returns the configurations of a command that has no cell's folder to look in: those that it names, else these, else the
    /// one in the current directory.
    pub(crate) fn files(&self, named: &[PathBuf], without: bool) -> Vec<PathBuf> {
        match (without, named.is_empty() && !self.mcp.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => self.mcp.clone(),
            (false, false) => servers::files(named, Some(Path::new(""))),
        }
    }

    /// Takes over what a command names.
    pub(crate) fn with(&self, mcp: &[PathBuf], policy: Option<&Path>) -> Self {
        // What comes through a pipe is gone the next time.
        let named = |path: &Path| path.is_file().then(|| std::path::absolute(path).ok()).flatten();
        let files: Vec<_> = mcp.iter().filter_map(|path| named(path)).collect();
        Self {
            mcp: if files.is_empty() { self.mcp.clone() } else { files },
            policy: policy.and_then(named).or_else(|| self.policy.clone()),
        }
    }

    /// Writes it down, at once or not at all.
    pub(crate) fn write(&self, session: &SessionId) -> Result<(), Fault> {
        let path = path(session)?;
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let text = serde_json::to_vec(self).unwrap_or_default();
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written =
            folder.and_then(|()| fs::write(&beside, text)).and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| failed("write", &path, &error))
    }

    /// Forgets what is written down of a session that is no more.
    pub(crate) fn forget(session: &SessionId) {
        if let Ok(path) = path(session) {
            // There need not be any.
            fs::remove_file(path).ok();
        }
    }
}

fn path(session: &SessionId) -> Result<PathBuf, Fault> {
    let folder = data::folder().map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
    // `:` is in no name of a file on Windows, and `~` in no id.
    Ok(folder.join("sessions").join(format!("{}.json", session.as_str().replace(':', "~"))))
}

fn failed(what: &str, path: &Path, error: &dyn std::fmt::Display) -> Fault {
    (Exit::Internal, format!("failed to {what} {}: {error}", path.display()))
}
