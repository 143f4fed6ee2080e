//! The program over its two transports, as a client sees it.
//!
//! A test that begins with a number shows the behaviour of that number in the list of docs/codex.md; unless it is about one
//! transport it runs over both. `CARREL_CODEX_HOST` may name the program to test: the observed host does not pass all of them,
//! and docs/codex.md says which.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests, whose tasks end with their process"
)]

mod cells;
mod dialect;
mod ending;
mod grpc;
mod json;
mod keeping;
mod limits;
mod peer;
mod service;
mod speech;
mod streams;
mod table;
mod tools;
mod waiting;
