//! Sessions behind the protocol of a Codex code-mode host.
//!
//! A client of that protocol opens sessions, runs cells, waits for them and ends them, and is called back for tools and
//! notifications. [`json`] speaks it in frames of JSON, [`grpc`] in gRPC; what both transports have in common, the rules of such a host over
//! the sessions of any provider, is `service`. The protocol is described in docs/codex.md, as it was observed.
//!
//! This crate knows the contract and nothing below it.

pub mod grpc;
mod hosting;
pub mod json;
mod recent;
mod service;

pub use hosting::Hosting;
