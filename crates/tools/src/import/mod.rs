//! What other clients have configured, as one configuration of Carrel's.
//!
//! Each client has its own places, fields and ways to write a variable; what it reads here is cited where it is read.
//! References stay references, and what a client would ask a person for becomes one. Values that look like secrets and
//! are written out are named, and hidden in what is shown.

mod client;
pub(crate) mod codex;
mod jsonc;
pub(crate) mod secret;
mod taken;
mod variables;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

pub use self::client::Client;
pub(crate) use self::client::applications;
pub(crate) use self::taken::Taken;
pub(crate) use self::variables::{Dialect, answer_inputs};
use crate::config::Environment;
use crate::printable::printable;

/// The largest file that is read, in bytes. Claude Code keeps much else in its own.
const MAX_BYTES: u64 = 64 << 20;

/// Where to look.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Places {
    /// The person's home.
    pub home: PathBuf,
    /// The project whose own configurations count, too.
    pub project: PathBuf,
}

impl Places {
    /// Looks in a home and a project. Both should be absolute.
    #[must_use]
    pub fn new(home: impl Into<PathBuf>, project: impl Into<PathBuf>) -> Self {
        Self { home: home.into(), project: project.into() }
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Import {
    /// The servers, in the order in which they were found.
    pub servers: Vec<ImportedServer>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// What is to be known or done: lines for a person, without secrets.
    pub notes: Vec<String>,
}

/// A server of another client's configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportedServer {
    /// The name it gets.
    pub name: String,
    /// Whose it was.
    pub client: Client,
    /// The file it was in.
    pub file: PathBuf,
    /// Its entry, for `mcpServers`. May hold secrets.
    entry: Map<String, Value>,
    /// Where secrets are written out, as `env.TOKEN`.
    pub secrets: Vec<String>,
}

/// Reads the configurations of these clients. A file that is not there is passed over; one that cannot be read is a note.
#[must_use]
pub fn import(clients: &[Client], places: &Places, environment: &dyn Environment) -> Import {
    let mut import = Import::default();
    for client in clients {
        for file in client.files(places, environment) {
            let text = match read(&file) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(error) => {
                    import.note(&format!("{} cannot be read: {error}", file.display()));
                    continue;
                }
            };
            import.files.push(file.clone());
            let found = client.servers(&text, places);
            match found {
                Ok(found) => {
                    for note in found.notes {
                        import.note(&format!("{}: {note}", file.display()));
                    }
                    for (name, entry) in found.servers {
                        import.take(*client, &file, &name, entry, found.dialect, places);
                    }
                }
                Err(problem) => import.note(&format!("{} is passed over: {problem}", file.display())),
            }
        }
    }
    import
}

impl Import {
    /// Returns the configuration. May hold secrets, where the others had them written out.
    #[must_use]
    pub fn document(&self) -> String {
        self.write(|server| server.entry.clone())
    }

    /// Returns the configuration for showing: secrets that are written out are hidden.
    #[must_use]
    pub fn preview(&self) -> String {
        self.write(|server| {
            let mut entry = Value::Object(server.entry.clone());
            for place in &server.secrets {
                if let Some(value) = secret::at(&mut entry, place) {
                    *value = Value::from("[hidden]");
                }
            }
            entry.as_object().cloned().unwrap_or_default()
        })
    }

    /// Tells whether secrets are written out somewhere.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.servers.iter().any(|server| !server.secrets.is_empty())
    }

    fn write(&self, entry: impl Fn(&ImportedServer) -> Map<String, Value>) -> String {
        let servers: Map<String, Value> =
            self.servers.iter().map(|server| (server.name.clone(), Value::Object(entry(server)))).collect();
        // A tree of texts: nothing here can fail to be JSON.
        let text = serde_json::to_string_pretty(&json!({ "mcpServers": servers })).unwrap_or_default();
        format!("{text}\n")
    }

    fn note(&mut self, note: &str) {
        self.notes.push(printable(note).replace('\n', " "));
    }

    fn take(
        &mut self,
        client: Client,
        file: &Path,
        name: &str,
        entry: Map<String, Value>,
        dialect: Dialect,
        places: &Places,
    ) {
        let place = format!("`{name}` of {}", file.display());
        let taken = Taken::new(name, entry, dialect, places);
        for note in taken.lost.iter().chain(&taken.unsupported) {
            self.note(&format!("{place}: {note}"));
        }
        if let Some(error) = taken.invalid {
            return self.note(&format!("{place} is left out: failed to {error}"));
        }
        let entry = taken.entry;
        if self.servers.iter().any(|known| known.entry == entry && known.name.starts_with(name)) {
            return;
        }
        let given = free_name(name, client, |name| self.servers.iter().any(|server| server.name == name));
        if given != name {
            self.note(&format!("{place} goes by `{given}`: another server has its name"));
        }
        let secrets = secret::written_out(&entry);
        for field in &secrets {
            self.note(&format!(
                "{place}: `{field}` looks like a secret that is written out; better a reference, as in ${{{}}}",
                secret::variable(name, field)
            ));
        }
        self.servers.push(ImportedServer { name: given, client, file: file.to_owned(), entry, secrets });
    }
}

/// Returns a name that no other server has.
pub(crate) fn free_name(name: &str, client: Client, is_taken: impl Fn(&str) -> bool) -> String {
    let mut given = name.to_owned();
    let mut number = 2;
    while is_taken(&given) {
        let suffix = if number > 2 { number.to_string() } else { String::new() };
        given = format!("{name}-{}{suffix}", client.name());
        number += 1;
    }
    given
}

/// Reads a file; `None` when there is none.
pub(crate) fn read(path: &Path) -> std::io::Result<Option<String>> {
    use std::io::Read as _;
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
