//! The clients, where each keeps its servers, and under which names.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::variables::Dialect;
use super::{Places, codex, jsonc};
use crate::config::Environment;

/// A client whose configuration can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Client {
    /// Claude Code: `~/.claude.json` and `.mcp.json` (<https://code.claude.com/docs/en/mcp>).
    Claude,
    /// Claude Desktop: `claude_desktop_config.json` (<https://modelcontextprotocol.io/docs/develop/connect-local-servers>).
    ClaudeDesktop,
    /// Cursor: `~/.cursor/mcp.json` and `.cursor/mcp.json` (<https://cursor.com/docs/context/mcp>).
    Cursor,
    /// Codex: `~/.codex/config.toml` and `.codex/config.toml` (<https://developers.openai.com/codex/mcp>).
    Codex,
    /// VS Code: `.vscode/mcp.json` and the user's `mcp.json`
    /// (<https://code.visualstudio.com/docs/copilot/reference/mcp-configuration>).
    VsCode,
}

/// What a file holds.
pub(super) struct Found {
    pub(super) servers: Vec<(String, Map<String, Value>)>,
    pub(super) dialect: Dialect,
    pub(super) notes: Vec<String>,
}

impl Client {
    /// All of them, those whose names win first.
    pub const ALL: &[Self] = &[Self::Claude, Self::Cursor, Self::Codex, Self::VsCode, Self::ClaudeDesktop];

    /// Returns the name that the command line has for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::ClaudeDesktop => "claude-desktop",
            Self::Cursor => "cursor",
            Self::Codex => "codex",
            Self::VsCode => "vscode",
        }
    }

    /// Returns where it keeps its servers, what is nearest to the project first.
    pub(super) fn files(self, places: &Places, environment: &dyn Environment) -> Vec<PathBuf> {
        let user = self.user_file(places, environment);
        match (self, self.project_file(places)) {
            (_, None) => vec![user],
            // A project's own servers in the first come before those of the second.
            (Self::Claude, Some(project)) => vec![user, project],
            (_, Some(project)) => vec![project, user],
        }
    }

    /// Returns the file of what a person has everywhere.
    pub(crate) fn user_file(self, places: &Places, environment: &dyn Environment) -> PathBuf {
        let home = &places.home;
        let elsewhere = |variable: &str, default: PathBuf| {
            environment.get(variable).filter(|path| !path.is_empty()).map_or(default, PathBuf::from)
        };
        match self {
            Self::Claude => elsewhere("CLAUDE_CONFIG_DIR", home.clone()).join(".claude.json"),
            Self::ClaudeDesktop => applications(home, environment).join("Claude/claude_desktop_config.json"),
            Self::Cursor => home.join(".cursor/mcp.json"),
            Self::Codex => elsewhere("CODEX_HOME", home.join(".codex")).join("config.toml"),
            Self::VsCode => applications(home, environment).join("Code/User/mcp.json"),
        }
    }

    /// Returns the file of what a project has, for clients that know projects.
    pub(crate) fn project_file(self, places: &Places) -> Option<PathBuf> {
        let file = match self {
            Self::Claude => ".mcp.json",
            Self::ClaudeDesktop => return None,
            Self::Cursor => ".cursor/mcp.json",
            Self::Codex => ".codex/config.toml",
            Self::VsCode => ".vscode/mcp.json",
        };
        Some(places.project.join(file))
    }

    /// Returns the field of its files that holds servers.
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::VsCode => "servers",
            Self::Codex => "mcp_servers",
            _ => "mcpServers",
        }
    }

    /// Returns how its files write variables; of Codex's, after they were read.
    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Claude | Self::Codex => Dialect::Carrel,
            Self::ClaudeDesktop => Dialect::None,
            Self::Cursor | Self::VsCode => Dialect::Editor,
        }
    }

    /// Reads the servers of one of its files.
    pub(super) fn servers(self, text: &str, places: &Places) -> Result<Found, String> {
        if self == Self::Codex {
            return codex::servers(text);
        }
        let document = jsonc::parse(text)?;
        let mut notes = Vec::new();
        let mut servers = Vec::new();
        let key = self.field();
        if self == Self::Claude {
            // `projects` holds what was added for one folder alone, and stands before what was added for all.
            let projects = document.get("projects").and_then(Value::as_object);
            let mut others = 0;
            for (folder, kept) in projects.into_iter().flatten() {
                if places.project.starts_with(folder) && !folder.is_empty() {
                    entries(kept.get(key), &mut servers, &mut notes);
                } else {
                    others += kept.get(key).and_then(Value::as_object).map_or(0, Map::len);
                }
            }
            if others > 0 {
                notes.push(format!(
                    "{others} servers of other projects are left out; import in their folders"
                ));
            }
        }
        entries(document.get(key), &mut servers, &mut notes);
        let inputs = document.get("inputs").and_then(Value::as_array).cloned().unwrap_or_default();
        let dialect = self.dialect();
        if self == Self::VsCode {
            for (_, entry) in &mut servers {
                super::variables::answer_inputs(entry, &inputs);
            }
        }
        Ok(Found { servers, dialect, notes })
    }
}

fn entries(found: Option<&Value>, servers: &mut Vec<(String, Map<String, Value>)>, notes: &mut Vec<String>) {
    for (name, entry) in found.and_then(Value::as_object).into_iter().flatten() {
        // What is nearer to the project came first.
        if servers.iter().any(|(known, _)| known == name) {
            notes.push(format!("`{name}` is there twice; the one that is nearer to the project counts"));
            continue;
        }
        match entry {
            Value::Object(entry) => servers.push((name.clone(), entry.clone())),
            _ => notes.push(format!("`{name}` is left out: it is no object")),
        }
    }
}

/// Where applications keep what they are told.
pub(crate) fn applications(home: &Path, environment: &dyn Environment) -> PathBuf {
    let variable = |name: &str| environment.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    if cfg!(target_os = "macos") {
        home.join("Library/Application Support")
    } else if cfg!(windows) {
        variable("APPDATA").unwrap_or_else(|| home.join("AppData/Roaming"))
    } else {
        variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"))
    }
}
