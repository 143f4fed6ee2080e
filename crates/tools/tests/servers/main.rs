//! Tests over real servers: the example server, servers from npm, and one that misbehaves on request.
//!
//! One binary, because linking takes longer than running. No test waits by time: the misbehaving server tells
//! over a socket what happens to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "the lints exempt test functions, but not what test functions share"
)]

mod common;
mod declarations;
mod example;
mod http;
mod login;
mod lost;
mod misbehaving;
mod npm;
mod openapi;
mod remote;
mod unasked;
