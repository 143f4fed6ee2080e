//! All servers of a configuration: connected at once, each alive or dead on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;

use crate::catalogue::Catalogue;
use crate::config::McpConfig;
use crate::upstream::{ConnectFailure, ConnectOptions, Connected, ServerWarning, Upstream};

/// The connected servers, their tools, and those that could not be connected to.
///
/// Dropping it ends the servers' processes without waiting; [`close`](Self::close) waits.
pub struct Upstreams {
    connected: BTreeMap<Arc<str>, Upstream>,
    catalogue: Catalogue,
    failures: Vec<ConnectFailure>,
    warnings: Vec<ServerWarning>,
}

impl Upstreams {
    /// Connects to all servers of `config` at once and lists their tools.
    ///
    /// Never fails as a whole: a server that cannot be connected to is among [`failures`](Self::failures).
    /// Takes as long as the slowest server, at most [`ConnectOptions::connect_time`].
    /// Cancel safe: dropping the future ends what was started.
    pub async fn connect(config: &McpConfig, options: ConnectOptions) -> Self {
        let options = &options;
        let attempts = config.servers.iter().map(async |server| {
            let outcome = Box::pin(Upstream::connect(server, options)).await;
            (server.name.as_str(), outcome)
        });
        let mut connected = BTreeMap::new();
        let mut tools = Vec::new();
        let mut failures: Vec<_> = config
            .unsupported
            .iter()
            .map(|error| ConnectFailure { server: error.server.clone(), error: error.clone().into() })
            .collect();
        let mut warnings = Vec::new();
        for (server, outcome) in join_all(attempts).await {
            match outcome {
                Ok(Connected { upstream, tools: of_server, warnings: of_them }) => {
                    let server: Arc<str> = server.into();
                    warnings.extend(of_them);
                    tools.push((Arc::clone(&server), of_server));
                    connected.insert(server, upstream);
                }
                Err(error) => failures.push(ConnectFailure { server: server.to_owned(), error }),
            }
        }
        failures.sort_by(|a, b| a.server.cmp(&b.server));
        Self { connected, catalogue: Catalogue::new(tools), failures, warnings }
    }

    /// Returns the tools of the connected servers.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Returns the servers that could not be connected to, by name.
    #[must_use]
    pub fn failures(&self) -> &[ConnectFailure] {
        &self.failures
    }

    /// Returns what was left out of the tools of the connected servers.
    #[must_use]
    pub fn warnings(&self) -> &[ServerWarning] {
        &self.warnings
    }

    /// Ends all connections without waiting and returns the servers that could not be connected to.
    #[must_use]
    pub fn into_failures(self) -> Vec<ConnectFailure> {
        self.failures
    }

    /// Returns the names of the connected servers.
    pub fn servers(&self) -> impl ExactSizeIterator<Item = &str> {
        self.connected.keys().map(AsRef::as_ref)
    }

    /// Ends all connections and processes at once. Calls under way end with `OutcomeUnknown`, later ones with
    /// `Unavailable`.
    ///
    /// Idempotent. Takes at most four times [`ConnectOptions::close_grace`]. Dropping the future leaves the
    /// rest of the closing to the runtime.
    pub async fn close(&self) {
        join_all(self.connected.values().map(Upstream::close)).await;
    }

    pub(crate) fn get(&self, server: &str) -> Option<&Upstream> {
        self.connected.get(server)
    }
}

impl std::fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstreams")
            .field("connected", &self.connected.keys().collect::<Vec<_>>())
            .field("tools", &self.catalogue.len())
            .field("failures", &self.failures)
            .finish()
    }
}
