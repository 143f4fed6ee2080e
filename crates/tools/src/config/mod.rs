//! The `mcpServers` configuration that Claude Code, Cursor and Claude Desktop share.
//!
//! ```json
//! { "mcpServers": {
//!     "files":  { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "${HOME}/notes"] },
//!     "orders": { "type": "http", "url": "https://mcp.example/mcp", "headers": { "Authorization": "Bearer ${TOKEN}" } }
//! } }
//! ```
//! `${VAR}`, which is also `${env:VAR}`, and `${VAR:-default}` are expanded in `command`, `args`, the values of `env`, `cwd`, `url` and the
//! values of `headers`. What they expand to is used and never shown: see [`Secret`].

mod document;
mod environment;
mod error;
mod expand;
mod oauth;
mod openapi;
mod parse;
mod pass;
mod secret;
mod server;

use std::path::Path;

use document::Document;

pub use environment::{Environment, ProcessEnvironment};
pub use error::{
    ConfigError, InvalidField, MalformedConfig, UnknownField, UnreadableConfig, UnsetVariable,
    UnsupportedTransport,
};
pub use oauth::{OAuthClient, OAuthConfig};
pub use openapi::OpenApiConfig;
pub use pass::PassThrough;
pub(crate) use secret::Redactor;
pub use secret::Secret;
pub use server::{HttpConfig, ServerConfig, StdioConfig, TransportConfig};

/// The variables a child process inherits without being named in its `env`.
///
/// What it needs to run and to find its way out, and no credentials: those a server gets by naming them.
/// The first group is that of the MCP SDKs.
pub const INHERITED_VARIABLES: &[&str] = &[
    "HOME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "USER", // POSIX
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR", // locale and place
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "APPDATA",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROGRAMFILES",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERNAME",
    "USERPROFILE", // Windows
];

/// The longest name of a server, in bytes.
const MAX_SERVER_NAME_BYTES: usize = 128;

/// The largest configuration that is read, in bytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// The servers of one configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpConfig {
    /// The servers to connect to, by name.
    pub servers: Vec<ServerConfig>,
    /// The OpenAPI documents whose operations are tools.
    pub openapi: Vec<OpenApiConfig>,
    /// The names of those that the configuration turns off.
    pub disabled: Vec<String>,
    /// Those that want a transport which Carrel does not speak: connecting to them fails.
    pub unsupported: Vec<UnsupportedTransport>,
    /// The tools that are listed beside Carrel's own where it serves MCP.
    pub pass_through: Vec<PassThrough>,
    /// Fields that mean nothing to Carrel, where a typing error may hide.
    pub unknown_fields: Vec<UnknownField>,
}

impl McpConfig {
    /// Reads a configuration from a file of at most 1 MiB.
    ///
    /// # Errors
    /// [`ConfigError`], which names the file, the server, the field, what was found and what is accepted.
    pub fn load(path: impl AsRef<Path>, environment: &dyn Environment) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = read(path).map_err(|source| UnreadableConfig { path: path.to_owned(), source })?;
        let origin = path.display().to_string();
        let mut config = match path.extension() {
            Some(extension) if extension == "toml" => Self::parse_toml(&text, &origin, environment)?,
            _ => Self::parse(&text, &origin, environment)?,
        };
        for document in &mut config.openapi {
            document.folder = path.parent().unwrap_or(Path::new("")).to_owned();
        }
        Ok(config)
    }

    /// Reads a configuration from TOML, with `[servers.NAME]` and `[openapi.NAME]`. `origin` says in errors where the
    /// text came from.
    ///
    /// # Errors
    /// [`ConfigError`], which names the origin, the server, the field, what was found and what is accepted.
    pub fn parse_toml(text: &str, origin: &str, environment: &dyn Environment) -> Result<Self, ConfigError> {
        parse::read(&Document::from_toml(text, origin)?, origin, environment)
    }

    /// Tells whether it has a server of this name, on or off.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.servers.iter().any(|server| server.name == name)
            || self.disabled.iter().any(|disabled| disabled == name)
            || self.unsupported.iter().any(|unsupported| unsupported.server == name)
    }

    /// Reads a configuration from text. `origin` says in errors where the text came from.
    ///
    /// # Errors
    /// [`ConfigError`], which names the origin, the server, the field, what was found and what is accepted.
    pub fn parse(text: &str, origin: &str, environment: &dyn Environment) -> Result<Self, ConfigError> {
        parse::read(&Document::from_json(text, origin)?, origin, environment)
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;

    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_CONFIG_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_CONFIG_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
