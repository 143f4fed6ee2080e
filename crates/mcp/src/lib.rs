//! The MCP face: sessions of any provider as an MCP server.
//!
//! A client sees three tools, whatever stands behind them: `exec` runs a cell, `wait` goes on watching one, `search_tools`
//! finds what cells can call. [`Face`] is what all connections share; [`serve_stdio`] and [`http`] bring connections to
//! it. This crate knows the contract's traits and the catalogue; MCP's own types (`rmcp`) stay inside it.

mod answer;
mod approvals;
mod arguments;
mod ask;
mod catalogue;
mod changes;
mod client;
mod connection;
mod face;
mod guide;
pub mod http;
mod output;
mod pass;
mod presence;
mod progress;
mod refusal;
mod sessions;
mod stdio;
mod supply;
mod task;
mod tool;

pub use approvals::{Approvals, Attendant, Decision, Question};
pub use face::{Backing, Face, Options, Owner, Owners};
pub use pass::PassThrough;
pub use stdio::{ServeError, serve_stdio};
pub use supply::Servers;
