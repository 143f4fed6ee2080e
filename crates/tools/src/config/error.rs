//! What can be wrong with a configuration. Each cause names its place; none carries an expanded value.

use std::path::PathBuf;

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableConfig),
    /// The text is not JSON.
    #[error(transparent)]
    Malformed(#[from] MalformedConfig),
    /// A field is not what it has to be.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A variable is not set and has no default.
    #[error(transparent)]
    Unset(#[from] UnsetVariable),
}

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("read MCP servers from {}: {source}", path.display())]
pub struct UnreadableConfig {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Text that is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read MCP servers from {origin}: line {line}, column {column}: {message}")]
pub struct MalformedConfig {
    /// Where the text came from.
    pub origin: String,
    /// The line of the first fault, from 1.
    pub line: usize,
    /// The column of the first fault, from 1.
    pub column: usize,
    /// The fault.
    pub message: String,
}

/// A field that is not what it has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read MCP servers from {origin}:{} `{field}` {problem}", of_server(.server.as_ref()))]
pub struct InvalidField {
    /// Where the text came from.
    pub origin: String,
    /// The server, unless the field is outside all of them.
    pub server: Option<String>,
    /// The field, as in `args[1]` or `env.TOKEN`.
    pub field: String,
    /// What was found and what is accepted.
    pub problem: String,
}

/// A variable that is not set and has no default.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read MCP servers from {origin}: {}: `{field}` needs the environment variable {variable}, \
     which is not set; set it, or give a default as in ${{{variable}:-default}}",
    whose(.server)
)]
pub struct UnsetVariable {
    /// Where the text came from.
    pub origin: String,
    /// The server.
    pub server: String,
    /// The field, as in `args[1]` or `env.TOKEN`.
    pub field: String,
    /// The variable.
    pub variable: String,
}

/// A server that wants a transport Carrel does not speak. Only that server fails: see `ConnectError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the transport \"{transport}\" is not supported; accepted are \"stdio\" with a `command` and \"http\" (streamable HTTP) with a `url`{}", sse_hint(.transport)
)]
pub struct UnsupportedTransport {
    /// The server.
    pub server: String,
    /// The transport it names.
    pub transport: String,
}

/// A field of a server's entry that means nothing to Carrel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {}: `{field}` is not a known field and was passed over; {}", whose(.server), meant(*.near, .known))]
pub struct UnknownField {
    /// Where the text came from.
    pub origin: String,
    /// The server.
    pub server: String,
    /// The field.
    pub field: String,
    /// The known field that is nearest to it, when one is near.
    pub near: Option<&'static str>,
    /// The fields that are known there.
    pub known: &'static [&'static str],
}

/// Says what a field may have been meant to be.
pub(super) fn meant(near: Option<&str>, known: &[&str]) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", list(known)),
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// An entry of `openapi` goes by its full name here, which no server's is taken for.
fn whose(server: &str) -> String {
    if server.starts_with("openapi.") { format!("`{server}`") } else { format!("server `{server}`") }
}

fn of_server(server: Option<&String>) -> String {
    server.map(|server| format!(" {}:", whose(server))).unwrap_or_default()
}

fn sse_hint(transport: &str) -> &'static str {
    if transport == "sse" {
        ". \"sse\" is the transport of MCP before 2025-03-26; most servers that had it also serve \"http\", \
         usually under /mcp"
    } else {
        ""
    }
}
