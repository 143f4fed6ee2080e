//! All servers of a configuration, connected at once, each alive or dead on its own; and what else has tools.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::{CancellationToken, JsonText, ToolError, ToolErrorCode, ToolName};
use futures::StreamExt as _;
use futures::future::{FutureExt as _, join_all};
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::answer::answer;
use crate::catalogue::{Catalogue, CatalogueEntry};
use crate::config::McpConfig;
use crate::name::may_share_names;
use crate::openapi::OpenApi;
use crate::shelf::Shelf;
use crate::source::{SourceCall, SourceTool, ToolSource};
use crate::upstream::{
    ConnectError, ConnectFailure, ConnectOptions, Connected, NameTaken, ServerWarning, Upstream,
};

/// The connected servers, their tools, and those that could not be connected to.
///
/// Dropping it ends the servers' processes without waiting; [`close`](Self::close) waits.
#[derive(Default)]
pub struct Upstreams {
    config: McpConfig,
    options: ConnectOptions,
    state: Mutex<State>,
    /// The servers, and documents, that are not there yet.
    connecting: watch::Sender<BTreeSet<String>>,
    shelf: Arc<Shelf>,
    closed: CancellationToken,
}

#[derive(Default)]
struct State {
    connected: BTreeMap<Arc<str>, Arc<Upstream>>,
    sources: BTreeMap<Arc<str>, Arc<dyn ToolSource>>,
    /// Tools that have no names yet, since a server that is not there yet may have tools of the same.
    unnamed: Vec<(Arc<str>, Vec<SourceTool>)>,
    /// List the tools of servers that say that theirs changed.
    followers: JoinSet<()>,
    failures: Vec<Arc<ConnectFailure>>,
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
        let upstreams = Self::begin(config, sources, options);
        upstreams.establish().await;
        upstreams
    }

    /// Makes what [`connect_with`](Self::connect_with) does, connected to nothing yet: the tools of each server are there
    /// when [`establish`](Self::establish) has connected it, whatever others take.
    #[must_use]
    pub fn begin(config: &McpConfig, sources: Vec<Arc<dyn ToolSource>>, options: ConnectOptions) -> Self {
        let servers = config.servers.iter().map(|server| &server.name);
        let connecting =
            servers.chain(config.openapi.iter().map(|document| &document.name)).cloned().collect();
        let this = Self {
            config: config.clone(),
            options,
            connecting: watch::Sender::new(connecting),
            ..Self::default()
        };
        let mut state = this.state();
        let unsupported = config.unsupported.iter();
        state.failures = unsupported
            .map(|error| ConnectFailure { server: error.server.clone(), error: error.clone().into() })
            .map(Arc::new)
            .collect();
        for source in sources {
            this.add(&mut state, source);
        }
        this.name(&mut state, &this.connecting.borrow());
        drop(state);
        this
    }

    /// Connects to the servers that are not connected yet, all at once, until each is or has failed; see
    /// [`connecting`](Self::connecting).
    ///
    /// Cancel safe: dropping the future ends what was started and is not connected yet, which calls of its tools then
    /// wait for. Another call begins it anew.
    pub async fn establish(&self) {
        let connecting = self.connecting.borrow().clone();
        let attempts = FuturesUnordered::new();
        for server in self.config.servers.iter().filter(|server| connecting.contains(&server.name)) {
            let attempt = async {
                let outcome = Upstream::connect(server, &self.options, &self.shelf).await;
                self.take(&server.name, |state| {
                    state.connect(&server.name, outcome?);
                    Ok(())
                });
            };
            attempts.push(attempt.boxed());
        }
        for document in self.config.openapi.iter().filter(|document| connecting.contains(&document.name)) {
            let attempt = async {
                let outcome = OpenApi::load(document, self.options.tools).await;
                self.take(&document.name, |state| {
                    let (openapi, warnings) = outcome?;
                    state.warnings.extend(warnings);
                    self.add(state, Arc::new(openapi));
                    Ok(())
                });
            };
            attempts.push(attempt.boxed());
        }
        tokio::select! {
            () = self.closed.cancelled() => {}
            () = attempts.collect() => {}
        }
    }

    /// Takes in what came of connecting to a server.
    fn take(&self, name: &str, take: impl FnOnce(&mut State) -> Result<(), ConnectError>) {
        let mut state = self.state();
        if let Err(error) = take(&mut state) {
            state.fail(name, error);
        }
        let mut connecting = self.connecting.borrow().clone();
        connecting.remove(name);
        // Whoever hears that it is there finds its tools.
        self.name(&mut state, &connecting);
        self.connecting.send_replace(connecting);
    }

    fn add(&self, state: &mut State, source: Arc<dyn ToolSource>) {
        let name: Arc<str> = source.name().into();
        if self.config.has(&name) || state.sources.contains_key(&name) {
            state.fail(&name, NameTaken.into());
            return;
        }
        state.unnamed.push((Arc::clone(&name), source.tools()));
        state.sources.insert(name, source);
    }

    /// Gives names to all tools whose names do not depend on servers that are not there yet.
    fn name(&self, state: &mut State, connecting: &BTreeSet<String>) {
        let waits =
            |(name, _): &mut (Arc<str>, _)| !connecting.iter().any(|other| may_share_names(name, other));
        self.shelf.put(state.unnamed.extract_if(.., waits));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the tools there are now. A server that is lost for the moment keeps its tools.
    ///
    /// Another catalogue follows when a server is connected, says that its tools changed, or lists others when it is
    /// connected again. A tool that is in both has the same name in both.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.shelf.current()
    }

    /// Returns a receiver that always has the current catalogue and hears of the next one.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.shelf.watch()
    }

    /// Returns a receiver that always has the names of the servers, and documents, that are not connected and have not
    /// failed yet. The tools of the others are in the catalogue before it says so.
    #[must_use]
    pub fn connecting(&self) -> watch::Receiver<BTreeSet<String>> {
        self.connecting.subscribe()
    }

    /// Returns the servers that could not be connected to, by name.
    #[must_use]
    pub fn failures(&self) -> Vec<Arc<ConnectFailure>> {
        self.state().failures.clone()
    }

    /// Returns what was left out of the tools of the connected servers when they were first listed.
    #[must_use]
    pub fn warnings(&self) -> Vec<ServerWarning> {
        self.state().warnings.clone()
    }

    /// Returns the names of the connected servers, and of what else has tools.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        let state = self.state();
        state.connected.keys().chain(state.sources.keys()).map(ToString::to_string).collect()
    }

    /// Ends all connections and processes at once. Calls under way end with `OutcomeUnknown`, later ones with
    /// `Unavailable`.
    ///
    /// Idempotent. Takes at most four times [`ConnectOptions::close_grace`]. Dropping the future leaves the
    /// rest of the closing to the runtime.
    pub async fn close(&self) {
        self.closed.cancel();
        let connected: Vec<_> = self.state().connected.values().cloned().collect();
        join_all(connected.iter().map(|upstream| upstream.close())).await;
    }

    /// Finds a tool; one that is not there is waited for while servers are being connected. Cancel safe.
    pub(crate) async fn find(
        &self,
        tool: &ToolName,
        cancel: &CancellationToken,
    ) -> Option<Arc<CatalogueEntry>> {
        let mut connecting = self.connecting();
        loop {
            let is_last = connecting.borrow_and_update().is_empty();
            let entry = self.catalogue().get(tool).cloned();
            if entry.is_some() || is_last {
                return entry;
            }
            tokio::select! {
                () = cancel.cancelled() => return None,
                () = self.closed.cancelled() => return None,
                changed = connecting.changed() => changed.ok()?,
            }
        }
    }

    /// Calls a tool at whatever has it. Its input fits its schema.
    pub(crate) async fn call(
        &self,
        entry: &CatalogueEntry,
        call: SourceCall,
        cancel: &CancellationToken,
    ) -> Result<JsonText, ToolError> {
        let (source, upstream) = {
            let state = self.state();
            (state.sources.get(&entry.server).cloned(), state.connected.get(&entry.server).cloned())
        };
        if let Some(source) = source {
            return source.call(call, cancel.clone()).await;
        }
        let Some(upstream) = upstream else {
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

impl State {
    fn connect(&mut self, name: &str, connected: Connected) {
        let Connected { upstream, tools, warnings } = connected;
        let name: Arc<str> = name.into();
        self.warnings.extend(warnings);
        self.unnamed.push((Arc::clone(&name), tools));
        let upstream = Arc::new(upstream);
        self.followers.spawn(upstream.follow());
        self.connected.insert(name, upstream);
    }

    fn fail(&mut self, server: &str, error: ConnectError) {
        self.failures.push(Arc::new(ConnectFailure { server: server.to_owned(), error }));
        self.failures.sort_by(|a, b| a.server.cmp(&b.server));
    }
}

impl std::fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("Upstreams")
            .field("connected", &state.connected.keys().collect::<Vec<_>>())
            .field("sources", &state.sources.keys().collect::<Vec<_>>())
            .field("connecting", &*self.connecting.borrow())
            .field("tools", &self.catalogue().len())
            .field("failures", &state.failures)
            .finish()
    }
}
