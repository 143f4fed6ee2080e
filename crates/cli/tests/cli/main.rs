//! The program as people and scripts use it: the real binary, real files, a real MCP server.
//!
//! One binary for all of it, because linking is what takes the time.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails it as the test itself would")]

mod approvals;
mod changes;
mod check;
mod clients;
mod codex;
mod config;
mod conformance;
mod doctor;
mod failures;
mod harness;
mod import;
#[cfg(unix)]
mod install;
#[cfg(target_os = "linux")]
mod isolation;
mod login;
mod mcp;
mod output;
mod policies;
#[cfg(target_os = "linux")]
mod prompt;
mod registry;
mod repl;
mod run;
#[cfg(unix)]
mod sessions;
#[cfg(unix)]
mod signals;
mod store;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)]
mod travel;
#[cfg(unix)]
mod upstreams;
