//! All servers of a configuration, connected at once, each alive or dead on its own; and what else has tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use carrel_contract::{CancellationToken, JsonText, ToolError, ToolErrorCode};
use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::answer;
use crate::catalogue::{Catalogue, CatalogueEntry};
use crate::config::McpConfig;
use crate::openapi::OpenApi;
use crate::shelf::Shelf;
use crate::source::{SourceCall, SourceTool, ToolSource};
use crate::upstream::{ConnectFailure, ConnectOptions, Connected, NameTaken, ServerWarning, Upstream};

/// The connected servers, their tools, and those that could not be connected to.
///
/// Dropping it ends the servers' processes without waiting; [`close`](Self::close) waits.
#[derive(Default)]
pub struct Upstreams {
    connected: BTreeMap<Arc<str>, Arc<Upstream>>,
    sources: BTreeMap<Arc<str>, Arc<dyn ToolSource>>,
    shelf: Arc<Shelf>,
    /// List the tools of servers that say that theirs changed. Ended with this.
    _followers: JoinSet<()>,
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
        Self::connect_with(config, Vec::new(), options).await
    }

    /// Connects to all servers of `config` as [`connect`](Self::connect) does, and adds tools that no server has.
    ///
    /// A source whose name is that of a server, or of an earlier source, is among the failures.
    pub async fn connect_with(
        config: &McpConfig,
        sources: Vec<Arc<dyn ToolSource>>,
        options: ConnectOptions,
    ) -> Self {
        let options = &options;
        let shelf = Arc::<Shelf>::default();
        let mut followers = JoinSet::new();
        let attempts = config.servers.iter().map(async |server| {
            let outcome = Box::pin(Upstream::connect(server, options, &shelf)).await;
            (server.name.as_str(), outcome)
        });
        let documents = config.openapi.iter().map(async |document| {
            let outcome = Box::pin(OpenApi::load(document, options.tools)).await;
            (document.name.as_str(), outcome)
        });
        let mut connected = BTreeMap::new();
        let mut tools: Vec<(Arc<str>, Vec<SourceTool>)> = Vec::new();
        let mut failures: Vec<_> = config
            .unsupported
            .iter()
            .map(|error| ConnectFailure { server: error.server.clone(), error: error.clone().into() })
            .collect();
        let mut warnings = Vec::new();
        let (attempts, documents) = futures::join!(join_all(attempts), join_all(documents));
        let mut sources = sources;
        for (name, outcome) in documents {
            match outcome {
                Ok((openapi, of_it)) => {
                    warnings.extend(of_it);
                    sources.push(Arc::new(openapi));
                }
                Err(error) => failures.push(ConnectFailure { server: name.to_owned(), error: error.into() }),
            }
        }
        for (server, outcome) in attempts {
            match outcome {
                Ok(Connected { upstream, tools: of_server, warnings: of_them }) => {
                    let server: Arc<str> = server.into();
                    warnings.extend(of_them);
                    tools.push((Arc::clone(&server), of_server));
                    let upstream = Arc::new(upstream);
                    followers.spawn(upstream.follow());
                    connected.insert(server, upstream);
                }
                Err(error) => failures.push(ConnectFailure { server: server.to_owned(), error }),
            }
        }
        let mut added: BTreeMap<Arc<str>, Arc<dyn ToolSource>> = BTreeMap::new();
        for source in sources {
            let name: Arc<str> = source.name().into();
            if config.has(&name) || added.contains_key(&name) {
                failures.push(ConnectFailure { server: name.to_string(), error: NameTaken.into() });
                continue;
            }
            tools.push((Arc::clone(&name), source.tools()));
            added.insert(name, source);
        }
        failures.sort_by(|a, b| a.server.cmp(&b.server));
        shelf.put(tools);
        Self { connected, sources: added, shelf, _followers: followers, failures, warnings }
    }

    /// Returns the tools there are now. A server that is lost for the moment keeps its tools.
    ///
    /// Another catalogue follows when a server says that its tools changed, or lists others when it is connected again.
    /// A tool that is in both has the same name in both.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.shelf.current()
    }

    /// Returns a receiver that always has the current catalogue and hears of the next one.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.shelf.watch()
    }

    /// Returns the servers that could not be connected to, by name.
    #[must_use]
    pub fn failures(&self) -> &[ConnectFailure] {
        &self.failures
    }

    /// Returns what was left out of the tools of the connected servers when they were first listed.
    #[must_use]
    pub fn warnings(&self) -> &[ServerWarning] {
        &self.warnings
    }

    /// Ends all connections without waiting and returns the servers that could not be connected to.
    #[must_use]
    pub fn into_failures(self) -> Vec<ConnectFailure> {
        self.failures
    }

    /// Returns the names of the connected servers, and of what else has tools.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.connected.keys().chain(self.sources.keys()).map(AsRef::as_ref)
    }

    /// Ends all connections and processes at once. Calls under way end with `OutcomeUnknown`, later ones with
    /// `Unavailable`.
    ///
    /// Idempotent. Takes at most four times [`ConnectOptions::close_grace`]. Dropping the future leaves the
    /// rest of the closing to the runtime.
    pub async fn close(&self) {
        join_all(self.connected.values().map(|upstream| upstream.close())).await;
    }

    /// Calls a tool at whatever has it. Its input fits its schema.
    pub(crate) async fn call(
        &self,
        entry: &CatalogueEntry,
        call: SourceCall,
        cancel: &CancellationToken,
    ) -> Result<JsonText, ToolError> {
        if let Some(source) = self.sources.get(&entry.server) {
            return source.call(call, cancel.clone()).await;
        }
        let Some(upstream) = self.connected.get(&entry.server) else {
            return Err(ToolError::new(ToolErrorCode::Unavailable, "the tool's server is gone"));
        };
        let value_bytes = call.value_bytes;
        let repeatable = entry.hints.repeatable();
        match Box::pin(upstream.call(&call, repeatable, cancel)).await {
            Ok(result) => answer(result, value_bytes),
            Err(failure) => Err(failure.into_tool_error(&entry.server, repeatable)),
        }
    }
}

impl std::fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstreams")
            .field("connected", &self.connected.keys().collect::<Vec<_>>())
            .field("sources", &self.sources.keys().collect::<Vec<_>>())
            .field("tools", &self.catalogue().len())
            .field("failures", &self.failures)
            .finish()
    }
}
