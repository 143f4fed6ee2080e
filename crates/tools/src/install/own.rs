//! Carrel's own configuration, which takes servers in and gives them back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::document::{self, Servers};
use super::record::{Kept, Moved};
use super::{InstallError, file};
use crate::import::{Client, free_name};

/// Carrel's own configuration.
pub(super) struct Own {
    path: PathBuf,
    pub(super) text: Option<String>,
    pub(super) servers: Servers,
    rest: Map<String, Value>,
}

impl Own {
    /// It has the form of Claude's.
    const FORM: Client = Client::Claude;

    pub(super) fn read(path: &Path) -> Result<Self, InstallError> {
        let text = file::read(path)
            .map_err(|source| InstallError::Unreadable { path: path.to_path_buf(), source })?;
        let content = document::read(Self::FORM, text.as_deref().unwrap_or_default())
            .map_err(|invalid| InstallError::Invalid { path: path.to_path_buf(), invalid })?;
        Ok(Self { path: path.to_path_buf(), text, servers: content.servers, rest: content.rest })
    }

    /// Returns the names that only this record brought.
    pub(super) fn brought<'a>(&self, kept: Option<&'a Kept>, all: &[Kept]) -> Vec<&'a Moved> {
        let Some(kept) = kept else { return Vec::new() };
        let others = all.iter().filter(|other| other.path != kept.path && other.record.own == self.path);
        let held: BTreeSet<&str> =
            others.flat_map(|other| &other.record.moved).map(|moved| moved.goes_by.as_str()).collect();
        let ours = kept.record.moved.iter();
        ours.filter(|moved| moved.is_ours && !held.contains(moved.goes_by.as_str())).collect()
    }

    /// Takes servers in, in the place of those that this record brought before.
    pub(super) fn take(
        &self,
        client: Client,
        movable: Vec<(String, Map<String, Value>)>,
        kept: Option<&Kept>,
        all: &[Kept],
        notes: &mut Vec<String>,
    ) -> Result<(Vec<Moved>, String, Servers), InstallError> {
        let mut document = self.open()?;
        let brought = self.brought(kept, all);
        let mut left = self.servers.clone();
        for moved in &brought {
            if left.get(&moved.goes_by).and_then(Value::as_object) == Some(&moved.entry) {
                left.shift_remove(&moved.goes_by);
            }
        }
        let ours = |goes_by: &str| {
            let others = all.iter().filter(|other| other.record.own == self.path);
            others
                .flat_map(|other| &other.record.moved)
                .any(|moved| moved.goes_by == goes_by && moved.is_ours)
        };
        let mut moved = Vec::new();
        for (name, entry) in movable {
            let value = Value::Object(entry.clone());
            let is_known = left.get(&name) == Some(&value);
            let goes_by = if is_known {
                name.clone()
            } else {
                free_name(&name, client, |name| left.contains_key(name))
            };
            if goes_by != name {
                notes.push(format!(
                    "`{name}` goes by `{goes_by}` behind Carrel: another server has its name there"
                ));
            }
            let is_ours = !is_known || ours(&goes_by);
            left.insert(goes_by.clone(), value);
            moved.push(Moved { name, goes_by, entry, is_ours });
        }
        for name in self.servers.keys().filter(|name| !left.contains_key(*name)) {
            document.remove(name);
        }
        for (name, entry) in left.iter().filter(|(name, entry)| self.servers.get(*name) != Some(entry)) {
            document.remove(name);
            document.insert(name, entry);
        }
        let is_same = self.text.is_some() && left == self.servers;
        let text = if is_same { self.text.clone().unwrap_or_default() } else { document.text() };
        // A configuration has the field, servers or not.
        let text = if left.is_empty() && self.text.is_none() {
            "{\n  \"mcpServers\": {}\n}\n".to_owned()
        } else {
            text
        };
        Ok((moved, text, left))
    }

    /// Lets go of the servers that only this record brought; `None` when nothing is left.
    pub(super) fn give_back(
        &self,
        kept: &Kept,
        all: &[Kept],
        notes: &mut Vec<String>,
    ) -> Result<(Option<String>, Servers), InstallError> {
        let Some(text) = &self.text else { return Ok((None, Servers::new())) };
        let mut document = self.open()?;
        let mut left = self.servers.clone();
        for moved in self.brought(Some(kept), all) {
            match left.get(&moved.goes_by).and_then(Value::as_object) {
                Some(entry) if *entry == moved.entry => {
                    left.shift_remove(&moved.goes_by);
                    document.remove(&moved.goes_by);
                }
                Some(_) => notes.push(format!(
                    "`{}` was changed in {}: it stays there, too",
                    moved.goes_by,
                    self.path.display()
                )),
                None => {}
            }
        }
        let is_used = all.iter().any(|other| other.path != kept.path && other.record.own == self.path);
        if left.is_empty() && self.rest.is_empty() && !is_used {
            return Ok((None, left));
        }
        let text = if left == self.servers { text.clone() } else { document.text() };
        Ok((Some(text), left))
    }

    fn open(&self) -> Result<Box<dyn document::Document>, InstallError> {
        document::open(Self::FORM, self.text.as_deref().unwrap_or_default())
            .map_err(|invalid| InstallError::Invalid { path: self.path.clone(), invalid })
    }
}
