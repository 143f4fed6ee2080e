//! The tools a cell can call.
//!
//! A user names MCP servers as in Claude Code, Cursor or Claude Desktop ([`McpConfig`]). They are connected to
//! all at once ([`Upstreams`]), their tools get names a cell can write ([`Catalogue`]), and a session reaches
//! them through [`McpDelegate`], which checks what goes out and gives what comes back its form. One server's
//! failure is its own calls' failure.
//!
//! ```no_run
//! use carrel_tools::{ConnectOptions, McpConfig, McpDelegate, NoSink, ProcessEnvironment, Upstreams};
//!
//! # async fn example() -> Result<(), carrel_tools::ConfigError> {
//! let config = McpConfig::load("mcp.json", &ProcessEnvironment)?;
//! let upstreams = Upstreams::connect(&config, ConnectOptions::default()).await;
//! for failure in upstreams.failures() {
//!     eprintln!("failed to {failure}");
//! }
//! let delegate = McpDelegate::new(upstreams, NoSink);
//! let tools = delegate.catalogue().descriptions(); // for `SessionSpec::tools`
//! # let _ = tools;
//! delegate.upstreams().close().await;
//! # Ok(())
//! # }
//! ```
//! This crate knows MCP, the contract and the catalogue. It must not know engines, storage, sessions or who uses it.

mod answer;
mod bound;
mod catalogue;
pub mod config;
mod delegate;
pub mod example_server;
mod http;
pub mod import;
pub mod install;
mod learned;
pub mod login;
mod name;
mod near;
mod openapi;
pub mod policy;
mod printable;
mod schema;
mod shelf;
mod sink;
mod source;
mod toolbox;
mod upstream;
mod upstreams;

pub use catalogue::{Catalogue, CatalogueEntry};
pub use config::{ConfigError, McpConfig, ProcessEnvironment};
pub use delegate::McpDelegate;
pub use learned::{Learned, SaveFailed};
pub use name::{NAMESPACE_SEPARATOR, plain_name};
pub use openapi::{
    MalformedDocument, NoOpenApi, NoServer, OpenApiError, ServerElsewhere, UnfetchedDocument,
    UnreadableDocument,
};
pub use policy::{Approvals, Policy, PolicyDelegate, PolicyError};
pub use schema::{Fault, InputSchema, InvalidInput};
pub use sink::{NoSink, NotificationSink};
pub use source::{SourceCall, SourceTool, ToolSource};
pub use toolbox::{ClosureTool, InvalidTool, ToolContext, Toolbox};
pub use upstream::{
    CommandNotFound, ConnectError, ConnectFailure, ConnectOptions, ConnectTimedOut, HttpRejected,
    IdlePatterns, InvalidTraceParent, LastWords, MalformedTools, MissingDirectory, NameTaken,
    ProtocolFailure, ServerExited, ServerWarning, SpawnFailed, TooManyTools, TraceParent, TraceSource,
    Unreachable,
};
pub use upstreams::Upstreams;
