//! Carrel in the configuration of a client, and out of it again.
//!
//! Installing writes one entry, which starts `carrel mcp`, and moves the servers that were there behind it, into a
//! configuration of Carrel's own. Removing puts the client's file back: byte for byte when nobody changed it since, else
//! server by server. Both are worked out as a [`Change`] first, that can be shown, and made or not.
//!
//! What a server would lose on the way stays where it is, and is named.

mod change;
mod document;
mod entry;
mod file;
mod json;
mod own;
mod place;
mod record;
mod restore;
mod shown;
mod target;
mod toml;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

pub use self::change::{ApplyError, Change};
use self::document::Content;
pub use self::document::Invalid;
use self::file::FileChange;
use self::own::Own;
pub use self::place::NotInstalled;
use self::record::{Kept, Moved, Record};
use self::target::Target;
use crate::config::Environment;
use crate::import::{Client, Places, Taken, answer_inputs, codex};

/// What some editors begin a file with.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whose servers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those that a person has everywhere.
    User,
    /// Those of the project of [`Places`].
    Project,
}

impl Scope {
    /// The entry's name. A project's has another, since clients let the nearer of two with one name hide the other.
    const fn entry(self) -> &'static str {
        match self {
            Self::User => "carrel",
            Self::Project => "carrel-project",
        }
    }
}

/// Where everything is.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// The person's home and their project.
    pub places: &'a Places,
    /// The folder of Carrel's own configuration. Absolute.
    pub folder: &'a Path,
    /// The program that the entry starts. Absolute.
    pub program: &'a str,
    /// Variables that it is started with.
    pub variables: &'a [(String, String)],
    /// Where clients say that their files are elsewhere, and `PATH`.
    pub environment: &'a dyn Environment,
}

/// Why nothing can be changed. For "failed to …".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The client is not there.
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    /// The client has no configuration of projects.
    #[error("install into a project: {0} has none; accepted are claude, cursor, codex and vscode")]
    NoProjects(&'static str),
    /// A file cannot be read.
    #[error("read {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be. It is left as it is.
    #[error("change {}, which is left as it is: {invalid}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        invalid: Invalid,
    },
    /// An edit would have changed more than it should.
    #[error("change {}, which is left as it is: more than the servers would become another", .0.display())]
    Collateral(PathBuf),
    /// There is nothing to undo.
    #[error("uninstall: Carrel was not installed into {}", .0.display())]
    NotThere(PathBuf),
}

/// Works out what installing changes.
///
/// # Errors
/// [`InstallError`], when the client is not there, or when a file cannot be read or edited.
pub fn install(client: Client, scope: Scope, setup: &Setup<'_>) -> Result<Change, InstallError> {
    let target = Target::find(client, scope, setup)?;
    if scope == Scope::User {
        place::check(client, setup)?;
    }
    let kept = target.kept();
    let mut notes = Vec::new();
    // What is there already is undone in thought, so that twice is the same as once.
    let base = match kept {
        Some(kept) => restore::client(client, &kept.record, target.text.as_deref(), &mut Vec::new())
            .map_err(|invalid| target.invalid(invalid))?,
        None => target.text.clone(),
    };
    let base_text = base.as_deref().unwrap_or_default();
    let content = document::read(client, base_text).map_err(|invalid| target.invalid(invalid))?;
    let mut movable = Vec::new();
    for (name, value) in &content.servers {
        if name == scope.entry() {
            notes.push(format!(
                "`{name}` was there before; it is replaced, and put back by `carrel uninstall`"
            ));
        } else if entry::is_carrel(value) {
            notes.push(format!("`{name}` stays in the client: it starts Carrel itself"));
        } else {
            match taken(client, scope, name, value, &content, setup) {
                Ok(entry) => movable.push((name.clone(), entry)),
                Err(reason) => notes.push(format!("`{name}` stays in the client: {reason}")),
            }
        }
    }
    notes.extend(locals(client, scope, &content, setup));

    let own_path = target.own_path(setup);
    let own = Own::read(&own_path)?;
    let (moved, own_text, own_servers) = own.take(client, movable, kept, &target.all, &mut notes)?;
    for Moved { goes_by, entry, .. } in &moved {
        if has_login(entry) {
            let own = own_path.display();
            notes.push(format!(
                "`{goes_by}` is reached over the network: a login that the client made cannot be moved; where it needs \
                 one, `carrel login {goes_by} --mcp {own}`"
            ));
        }
    }

    let mut variables = BTreeSet::new();
    own_servers.values().for_each(|entry| entry::references(entry, &mut variables));
    let entry = entry::entry(client, setup, &own_path, &variables);
    let names = moved.iter().map(|moved| moved.name.as_str()).chain([scope.entry()]);
    let after = edit(client, base_text, &content, names, scope.entry(), &entry)
        .map_err(|invalid| target.invalid(invalid))?
        .ok_or_else(|| InstallError::Collateral(target.path.clone()))?;

    let now = document::read(client, target.text.as_deref().unwrap_or_default())
        .map_err(|invalid| target.invalid(invalid))?;
    let then = document::read(client, &after).map_err(|invalid| target.invalid(invalid))?;
    let record_path =
        kept.map_or_else(|| record::free(setup.folder, client.name(), &target.all), |kept| kept.path.clone());
    let mut change = Change::new(client, target.path.clone(), notes);
    change.show(client, &target.path, &now.servers, &then.servers);
    change.show(Client::Claude, &own_path, &own.servers, &own_servers);
    change.push(FileChange {
        path: own_path.clone(),
        before: own.text,
        after: Some(own_text),
        is_private: true,
    });
    if kept.is_none() || now.servers != then.servers {
        let project = (scope == Scope::Project).then(|| setup.places.project.clone());
        let record = Record::new(
            client.name(),
            target.path.clone(),
            project,
            own_path,
            scope.entry().to_owned(),
            entry,
            base.clone(),
            after.clone(),
            moved,
        );
        change.copy(Kept::copy(&record_path), base)?;
        change.push(FileChange {
            path: record_path,
            before: kept.map(|kept| kept.text.clone()),
            after: Some(record.text()),
            is_private: true,
        });
        change.push(FileChange {
            path: target.path,
            before: target.text,
            after: Some(after),
            is_private: false,
        });
    }
    Ok(change)
}

/// Works out what removing changes.
///
/// # Errors
/// [`InstallError`], when nothing was installed, or when a file cannot be read or edited.
pub fn uninstall(client: Client, scope: Scope, setup: &Setup<'_>) -> Result<Change, InstallError> {
    let target = Target::find(client, scope, setup)?;
    let kept = target.kept().ok_or_else(|| InstallError::NotThere(target.path.clone()))?;
    let record = &kept.record;
    let mut notes = Vec::new();
    let restored = restore::client(client, record, target.text.as_deref(), &mut notes)
        .map_err(|invalid| target.invalid(invalid))?;
    let own = Own::read(&record.own)?;
    let (own_text, own_servers) = own.give_back(kept, &target.all, &mut notes)?;
    let read = |text: Option<&str>| {
        document::read(client, text.unwrap_or_default()).map_err(|invalid| target.invalid(invalid))
    };
    let (now, then) = (read(target.text.as_deref())?, read(restored.as_deref())?);
    let mut change = Change::new(client, target.path.clone(), notes);
    change.show(client, &target.path, &now.servers, &then.servers);
    change.show(Client::Claude, &record.own, &own.servers, &own_servers);
    change.push(FileChange {
        path: target.path.clone(),
        before: target.text.clone(),
        after: restored,
        is_private: false,
    });
    change.push(FileChange { path: record.own.clone(), before: own.text, after: own_text, is_private: true });
    change.copy(Kept::copy(&kept.path), None)?;
    change.push(FileChange {
        path: kept.path.clone(),
        before: Some(kept.text.clone()),
        after: None,
        is_private: true,
    });
    Ok(change)
}

/// Takes servers out of a text and puts the entry in. `None` when that would change anything else.
fn edit<'a>(
    client: Client,
    text: &str,
    content: &Content,
    out: impl Iterator<Item = &'a str>,
    name: &str,
    entry: &Value,
) -> Result<Option<String>, Invalid> {
    let mut document = document::open(client, text)?;
    let mut servers = content.servers.clone();
    for name in out {
        document.remove(name);
        servers.shift_remove(name);
    }
    document.insert(name, entry);
    servers.insert(name.to_owned(), entry.clone());
    let after = document.text();
    let expected = Content { servers, rest: content.rest.clone() };
    Ok((document::read(client, &after)? == expected).then_some(after))
}

/// Puts a server into Carrel's words; why it has to stay, if it has to.
fn taken(
    client: Client,
    scope: Scope,
    name: &str,
    value: &Value,
    content: &Content,
    setup: &Setup<'_>,
) -> Result<Map<String, Value>, String> {
    let Value::Object(entry) = value else { return Err("it is no table".to_owned()) };
    let mut notes = Vec::new();
    let mut entry = match client {
        Client::Codex => codex::server(name, entry, &mut notes),
        _ => entry.clone(),
    };
    if client == Client::VsCode {
        let inputs = content.rest.get("inputs").and_then(Value::as_array);
        answer_inputs(&mut entry, inputs.map(Vec::as_slice).unwrap_or_default());
    }
    let written = Value::Object(entry.clone()).to_string();
    let folders = ["${workspaceFolder", "${workspaceRoot", "${cwd}"];
    if scope == Scope::User && folders.iter().any(|folder| written.contains(folder)) {
        return Err("it is told the folder that the editor has open".to_owned());
    }
    let taken = Taken::new(name, entry, client.dialect(), setup.places);
    notes.extend(taken.lost);
    notes.extend(taken.unsupported);
    notes.extend(taken.invalid);
    if notes.is_empty() { Ok(taken.entry) } else { Err(notes.join("; ")) }
}

/// What Claude Code keeps of single projects in the file of the person.
fn locals(client: Client, scope: Scope, content: &Content, setup: &Setup<'_>) -> Option<String> {
    if (client, scope) != (Client::Claude, Scope::User) {
        return None;
    }
    let projects = content.rest.get("projects").and_then(Value::as_object)?;
    let here = projects.iter().filter(|(folder, _)| setup.places.project.starts_with(folder));
    let names: Vec<&str> = here
        .filter_map(|(_, kept)| kept.get(client.field())?.as_object())
        .flat_map(|servers| servers.keys().map(String::as_str))
        .collect();
    let names = names.join(", ");
    (!names.is_empty()).then(|| {
        format!(
            "what was added for this folder alone stays in the client: {names} (`claude mcp add --scope user` adds for all)"
        )
    })
}

/// Tells whether the client may have logged in at a server.
fn has_login(entry: &Map<String, Value>) -> bool {
    let headers = entry.get("headers").and_then(Value::as_object);
    let is_told =
        headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")));
    entry.contains_key("url") && !is_told
}

#[cfg(test)]
mod tests;
