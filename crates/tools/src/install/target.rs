//! What installing is about: a client's file, and what was installed before.

use std::path::PathBuf;

use super::document::Invalid;
use super::record::{self, Kept};
use super::{InstallError, Scope, Setup, file};
use crate::import::Client;

/// The client's file, and what was installed before.
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) text: Option<String>,
    /// All that is installed, anywhere.
    pub(super) all: Vec<Kept>,
    project: Option<PathBuf>,
}

impl Target {
    pub(super) fn find(client: Client, scope: Scope, setup: &Setup<'_>) -> Result<Self, InstallError> {
        let path = match scope {
            Scope::User => client.user_file(setup.places, setup.environment),
            Scope::Project => {
                client.project_file(setup.places).ok_or_else(|| InstallError::NoProjects(client.name()))?
            }
        };
        let unreadable = |source| InstallError::Unreadable { path: path.clone(), source };
        let path = file::resolve(&path).map_err(unreadable)?;
        let unreadable = |source| InstallError::Unreadable { path: path.clone(), source };
        let text = file::read(&path).map_err(unreadable)?;
        let project = (scope == Scope::Project).then(|| setup.places.project.clone());
        Ok(Self { path, text, all: record::all(setup.folder)?, project })
    }

    pub(super) fn kept(&self) -> Option<&Kept> {
        self.all.iter().find(|kept| kept.record.file == self.path)
    }

    pub(super) fn invalid(&self, invalid: Invalid) -> InstallError {
        InstallError::Invalid { path: self.path.clone(), invalid }
    }

    /// Returns Carrel's configuration for this scope: one for the person, and one for each project.
    pub(super) fn own_path(&self, setup: &Setup<'_>) -> PathBuf {
        let Some(project) = &self.project else { return setup.folder.join("mcp.json") };
        let known = self.all.iter().find(|kept| kept.record.project.as_ref() == Some(project));
        if let Some(known) = known {
            return known.record.own.clone();
        }
        let name = project.file_name().unwrap_or_default().to_string_lossy();
        let mut number = 1;
        loop {
            let suffix = if number > 1 { format!("-{number}") } else { String::new() };
            let path = setup.folder.join("projects").join(format!("{name}{suffix}.json"));
            if !path.exists() && self.all.iter().all(|kept| kept.record.own != path) {
                return path;
            }
            number += 1;
        }
    }
}
