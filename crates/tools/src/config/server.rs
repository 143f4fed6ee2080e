//! One configured server, ready to be connected to.

use std::fmt;
use std::time::Duration;

use super::oauth::OAuthConfig;
use super::secret::{Redactor, Secret};

/// How to reach one MCP server. Showing it shows references, not what they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The name it goes by; its tools' namespace.
    pub name: String,
    /// The way to it.
    pub transport: TransportConfig,
    /// Time it has to answer a call: `timeout`. That of all servers when absent.
    pub call_time: Option<Duration>,
    /// Time it has to start, shake hands and list its tools: `initTimeout`. That of all servers when absent.
    pub connect_time: Option<Duration>,
}

/// The way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportConfig {
    /// A child process, spoken to over its standard streams.
    Stdio(StdioConfig),
    /// A server elsewhere, spoken to over streamable HTTP.
    Http(HttpConfig),
}

/// A server that is started as a child process.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StdioConfig {
    /// The program, looked up in `PATH` when it holds no `/`.
    pub command: Secret,
    /// Its arguments.
    pub args: Vec<Secret>,
    /// Variables set for it beyond those it inherits.
    pub env: Vec<(String, Secret)>,
    /// Its working directory; that of this process when absent.
    pub cwd: Option<Secret>,
    /// What it inherits: see [`INHERITED_VARIABLES`](super::INHERITED_VARIABLES).
    pub(crate) inherited: Vec<(String, String)>,
}

/// A server that is reached over streamable HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Its endpoint.
    pub url: Secret,
    /// Headers sent with every request.
    pub headers: Vec<(String, Secret)>,
    /// How to log in there.
    pub oauth: OAuthConfig,
}

impl ServerConfig {
    /// Makes the means to keep this server's credentials out of text it produced.
    pub(crate) fn redactor(&self) -> Redactor {
        match &self.transport {
            TransportConfig::Stdio(stdio) => Redactor::new(
                std::iter::once(&stdio.command)
                    .chain(&stdio.args)
                    .chain(stdio.env.iter().map(|(_, value)| value))
                    .chain(&stdio.cwd),
            ),
            TransportConfig::Http(http) => Redactor::new(
                std::iter::once(&http.url)
                    .chain(http.headers.iter().map(|(_, value)| value))
                    .chain(http.oauth.secrets()),
            ),
        }
    }
}

impl fmt::Debug for StdioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is inherited is this process's environment: its names say enough.
        f.debug_struct("StdioConfig")
            .field("command", &self.command)
            .field("args", &self.args)
            .field("env", &self.env)
            .field("cwd", &self.cwd)
            .field("inherited", &self.inherited.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish()
    }
}
