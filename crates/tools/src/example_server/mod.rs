//! An MCP server to try Carrel with: the order book of a small shop for desks, lamps and chairs.
//!
//! A real server over stdio, with data worth joining (orders name customers and products by id), a tool that
//! changes something, a slow one, one that fails, and one that answers with an image. The book is the same at
//! every start: nothing in it is random. Its descriptions, schemas, hints and error messages are meant as
//! models for authors of tools.

mod book;
mod chart;
mod data;
mod date;
mod input;
mod order;
mod png;
mod requests;
mod server;
mod tools;

pub use server::{ServeError, serve_stdio};
