//! The MCP servers a configuration names, from their files to the delegate of a session.
//!
//! The other files ask for tools, a delegate and failures, and know nothing of MCP.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use carrel_catalogue::declaration::{Budget, Declaration};
use carrel_contract::error::NotifyError;
use carrel_contract::{
    CancellationToken, CellId, CodeModeFuture, CodeModeSessionDelegate, JsonText, Notification, ToolCall,
    ToolDescription, ToolError, ToolErrorCode,
};
use carrel_tools::config::Environment;
use carrel_tools::{
    Catalogue, CatalogueEntry, ConfigError, ConnectOptions, InvalidTraceParent, Learned, McpConfig,
    McpDelegate, NoSink, ProcessEnvironment, TraceParent, TraceSource, Upstreams,
};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::login;
use crate::printer::Printer;
use crate::terminal::{Terminal, Tone};

/// The names that a configuration beside a cell may have; the first that is there counts.
const FILE_NAMES: &[&str] = &["carrel.toml", "mcp.json"];

/// Returns the configurations to use: those named, else the one in `folder`, else none.
pub(crate) fn files(named: &[PathBuf], folder: Option<&Path>) -> Vec<PathBuf> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let Some(folder) = folder else { return Vec::new() };
    FILE_NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file()).into_iter().collect()
}

/// Why configurations cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// One is at fault by itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two of them give the same name.
    #[error("use {}: `{name}` is in an earlier configuration too; rename one", .file.display())]
    Repeated {
        /// The later file.
        file: PathBuf,
        /// The name of a server or a document.
        name: String,
    },
}

/// Reads and joins configurations.
pub(crate) fn load(files: &[PathBuf]) -> Result<McpConfig, LoadError> {
    let environment = WithCarrel::new();
    let mut all = McpConfig::default();
    for file in files {
        let config = McpConfig::load(file, &environment)?;
        for server in config.servers {
            if all.servers.iter().any(|known| known.name == server.name) {
                return Err(LoadError::Repeated { file: file.clone(), name: server.name });
            }
            all.servers.push(server);
        }
        for document in config.openapi {
            if all.openapi.iter().any(|known| known.name == document.name) {
                return Err(LoadError::Repeated { file: file.clone(), name: document.name });
            }
            all.openapi.push(document);
        }
        all.disabled.extend(config.disabled);
        all.unsupported.extend(config.unsupported);
        all.pass_through.extend(config.pass_through);
        all.unknown_fields.extend(config.unknown_fields);
    }
    Ok(all)
}

/// The process's environment, with `CARREL` as the path of this program: a configuration that starts
/// `${CARREL:-carrel}` starts the same one, installed or not.
struct WithCarrel {
    carrel: Option<String>,
}

impl WithCarrel {
    fn new() -> Self {
        let path = std::env::current_exe().ok();
        Self { carrel: path.and_then(|path| path.to_str().map(str::to_owned)) }
    }
}

impl Environment for WithCarrel {
    fn get(&self, name: &str) -> Option<String> {
        if name == "CARREL" && self.carrel.is_some() {
            return self.carrel.clone();
        }
        ProcessEnvironment.get(name)
    }
}

/// Servers that are started or reached, and those that cannot be.
pub(crate) struct Servers {
    upstreams: Option<Arc<Upstreams>>,
    /// Of the configuration.
    warnings: Vec<String>,
    /// The names of those that the configuration turns off.
    disabled: Vec<String>,
    learned: Arc<Learned>,
}

/// A tool, for a listing.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) description: String,
}

/// Connects to the servers of a configuration, all at once; `None` when a signal to end came first.
pub(crate) async fn connect(config: McpConfig, interrupt: &Interrupt, printer: &Printer) -> Option<Servers> {
    let servers = begin(config);
    let names = servers.connecting().borrow().iter().cloned().collect::<Vec<_>>().join(", ");
    if !names.is_empty() {
        printer.status(Some(&format!("connecting to {names}")));
    }
    let connected = tokio::select! {
        _ = interrupt.fired() => None,
        () = servers.establish() => Some(()),
    };
    printer.status(None);
    connected.map(|()| servers)
}

/// Makes the servers of a configuration, connected to none of them yet.
pub(crate) fn begin(config: McpConfig) -> Servers {
    let mut warnings: Vec<_> = config.unknown_fields.iter().map(ToString::to_string).collect();
    let learned = Arc::new(Learned::in_memory());
    if config.servers.is_empty() && config.unsupported.is_empty() && config.openapi.is_empty() {
        return Servers { upstreams: None, warnings, disabled: config.disabled, learned };
    }
    let mut options = login::folder()
        .map_or_else(|_| ConnectOptions::default(), |logins| ConnectOptions::default().with_logins(logins));
    if let Err(problem) = login::keyring() {
        warnings.push(format!("failed to {problem}; the keyring is used"));
    }
    match trace() {
        Ok(Some(trace)) => options = options.with_trace(TraceSource::new(move || Some(trace.clone()))),
        Ok(None) => {}
        Err(invalid) => {
            warnings.push(format!("failed to {invalid}; TRACEPARENT in the environment is passed over"));
        }
    }
    let upstreams = Arc::new(Upstreams::begin(&config, Vec::new(), options));
    Servers { upstreams: Some(upstreams), warnings, disabled: config.disabled, learned }
}

/// Returns the trace that this process is part of: calls are made in its span.
fn trace() -> Result<Option<TraceParent>, InvalidTraceParent> {
    let set = |name: &str| ProcessEnvironment.get(name).filter(|value| !value.is_empty());
    let Some(parent) = set("TRACEPARENT") else { return Ok(None) };
    let trace = TraceParent::parse(&parent)?;
    Ok(Some(match set("TRACESTATE") {
        Some(state) => trace.with_state(&state),
        None => trace,
    }))
}

impl Servers {
    /// Goes on from what the tools were seen to return, and keeps what they are seen to return now.
    pub(crate) fn with_learned(mut self, learned: Arc<Learned>) -> Self {
        self.learned = learned;
        self
    }

    /// Connects to them, until each is there or has failed. Cancel safe.
    pub(crate) async fn establish(&self) {
        if let Some(upstreams) = &self.upstreams {
            upstreams.establish().await;
        }
    }

    /// Returns a receiver that has the names of those that are being connected.
    pub(crate) fn connecting(&self) -> watch::Receiver<BTreeSet<String>> {
        match &self.upstreams {
            Some(upstreams) => upstreams.connecting(),
            None => watch::Sender::default().subscribe(),
        }
    }

    /// Returns the tools for a session.
    pub(crate) fn tools(&self) -> Vec<ToolDescription> {
        let Some(upstreams) = &self.upstreams else { return Vec::new() };
        self.learned.describe(&upstreams.catalogue())
    }

    /// Returns a receiver that hears when there are other tools; `None` without servers.
    pub(crate) fn watch(&self) -> Option<watch::Receiver<Arc<Catalogue>>> {
        let mut watch = self.upstreams.as_ref()?.watch();
        watch.mark_unchanged();
        Some(watch)
    }

    /// Returns the delegate for a session.
    pub(crate) fn delegate(&self) -> Arc<dyn CodeModeSessionDelegate> {
        match &self.upstreams {
            Some(upstreams) => {
                let delegate = McpDelegate::new(Arc::clone(upstreams), NoSink);
                Arc::new(delegate.with_learned(Arc::clone(&self.learned)))
            }
            None => no_tools(),
        }
    }

    /// Returns the tools for a person, sorted by name.
    pub(crate) fn listing(&self) -> Vec<Tool> {
        let Some(upstreams) = &self.upstreams else { return Vec::new() };
        let tool = |entry: &Arc<CatalogueEntry>| Tool {
            name: entry.name.to_string(),
            server: entry.server.to_string(),
            description: entry.description.clone(),
        };
        upstreams.catalogue().iter().map(tool).collect()
    }

    /// Returns what a model reads of a tool; of one that is not there, the names nearest to it.
    pub(crate) fn declaration(&self, name: &str) -> Result<Declaration, Vec<String>> {
        let tools = self.tools();
        if let Some(tool) = tools.iter().find(|tool| tool.name.as_str() == name) {
            return Ok(Declaration::new(tool, Budget::default()));
        }
        let Some(upstreams) = &self.upstreams else { return Err(Vec::new()) };
        Err(upstreams.catalogue().nearest(name, 3).iter().map(ToString::to_string).collect())
    }

    /// Returns the servers that were reached, with the number of their tools.
    pub(crate) fn reached(&self) -> Vec<(String, usize)> {
        let listing = self.listing();
        let Some(upstreams) = &self.upstreams else { return Vec::new() };
        let tools = |name: &str| listing.iter().filter(|tool| tool.server == name).count();
        upstreams.servers().into_iter().map(|name| (name.clone(), tools(&name))).collect()
    }

    /// Returns what is wrong with the servers that were not reached.
    pub(crate) fn failures(&self) -> Vec<String> {
        let failures = self.upstreams.as_ref().map(|upstreams| upstreams.failures()).unwrap_or_default();
        failures.iter().map(|failure| format!("failed to {failure}")).collect()
    }

    /// Returns what should be known of the configuration and of the servers that were reached.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let of_servers = self.upstreams.as_ref().map(|upstreams| upstreams.warnings()).unwrap_or_default();
        self.warnings.iter().cloned().chain(of_servers.iter().map(ToString::to_string)).collect()
    }

    /// Says why there is no tool.
    pub(crate) fn why_no_tools(&self) -> String {
        match (&self.upstreams, self.disabled.as_slice()) {
            (Some(_), _) => "no tools".into(),
            (None, []) => "no tools: the configuration has no server".into(),
            (None, disabled) => {
                format!("no tools: every server of the configuration is disabled ({})", disabled.join(", "))
            }
        }
    }

    /// Says what is wrong with the servers, reached or not.
    pub(crate) fn report_problems(&self, printer: &Printer) {
        for failure in self.failures().iter().chain(&self.warnings()) {
            printer.note(Tone::Warning, &format!("warning: {failure}"));
        }
    }

    /// Tells whether any server was not reached.
    pub(crate) fn any_failed(&self) -> bool {
        !self.failures().is_empty()
    }

    /// Tells whether servers were configured and none was reached.
    pub(crate) fn none_left(&self) -> bool {
        self.any_failed() && self.reached().is_empty()
    }

    /// Ends the servers.
    pub(crate) async fn close(&self) {
        if let Some(upstreams) = &self.upstreams {
            upstreams.close().await;
        }
        // What cannot be kept is learned again.
        self.learned.save().ok();
    }
}

/// Serves the example's tools on standard input and output.
pub(crate) async fn serve_example(interrupt: &Interrupt) -> Exit {
    let served = tokio::select! {
        exit = interrupt.fired() => return exit,
        served = carrel_tools::example_server::serve_stdio() => served,
    };
    match served {
        Ok(()) => Exit::Success,
        Err(error) => {
            Printer::new(Terminal::detect()).note(Tone::Error, &format!("failed to serve: {error}"));
            Exit::Internal
        }
    }
}

/// A delegate for sessions without tools.
pub(crate) fn no_tools() -> Arc<dyn CodeModeSessionDelegate> {
    Arc::new(NoTools)
}

struct NoTools;

impl CodeModeSessionDelegate for NoTools {
    fn invoke_tool(
        &self,
        call: ToolCall,
        _cancel: CancellationToken,
    ) -> CodeModeFuture<'_, JsonText, ToolError> {
        let message = format!("there is no tool `{}`: this session has none", call.tool);
        Box::pin(async { Err(ToolError::new(ToolErrorCode::Unavailable, message)) })
    }

    fn notify(&self, _: Notification, _: CancellationToken) -> CodeModeFuture<'_, (), NotifyError> {
        // The log has it, and this program reads the log.
        Box::pin(async { Ok(()) })
    }

    fn cell_closed(&self, _cell_id: &CellId) {}
}
