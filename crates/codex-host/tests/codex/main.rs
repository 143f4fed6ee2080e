//! The program over its two transports, as a client sees it.
//!
//! A test that begins with a number shows the behaviour of that number in the list of docs/codex.md; unless it is about one
//! transport it runs over both.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests, whose tasks end with their process"
)]

mod cells;
mod ending;
mod grpc;
mod json;
mod keeping;
mod limits;
mod peer;
mod service;
mod speech;
mod tools;
mod waiting;
