//! What a model is told of its tools.
//!
//! A tool comes with JSON Schemas; a model reads TypeScript. [`mod@declaration`] turns the one into the other,
//! [`prompt`] is what it is given of all tools from the start, and [`search`] finds those worth reading. All of this
//! crate is pure: descriptions and values in, text out. It knows the contract alone; it must not know MCP, engines,
//! sessions, files or time.

pub mod declaration;
pub mod observed;
pub mod prompt;
pub mod search;
mod summary;

pub use summary::summary;
