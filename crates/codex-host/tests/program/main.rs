//! The command line program of Codex, from npm, with this host in its package folder, as its model sees it.
//!
//! The program holds one conversation with a scripted model three times at once: over the host that it comes with, over this
//! one, and over this one with a folder for its sessions. What the model is sent has to be the same up to ids and times, but
//! for the differences that `comparison.rs` lists. `./x setup` installs the package, into .x/codex.
//!
//! Linux alone, whose `/proc` says which process is the host that is to be killed.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests, whose failures are panics"
)]

mod comparison;
mod conversation;
mod model;
mod package;
mod program;
mod script;

use std::path::Path;

use comparison::{compare, ever};
use package::{Package, Transport, real_host};

async fn the_model_is_sent_the_same(transport: Transport) {
    let ours = Path::new(env!("CARGO_BIN_EXE_codex-code-mode-host"));
    let (there, here, kept) = tokio::join!(
        script::play(Package::with(&real_host(), transport)),
        script::play(Package::with(ours, transport)),
        script::play(Package::with(ours, transport).keeping_sessions()),
    );
    compare(&there, &here, &ever());
    let differences: Vec<_> = ever().into_iter().chain(comparison::kept(transport)).collect();
    compare(&there, &kept, &differences);
}

#[tokio::test]
async fn the_model_is_sent_the_same_over_grpc() {
    Box::pin(the_model_is_sent_the_same(Transport::Grpc)).await;
}

#[tokio::test]
async fn the_model_is_sent_the_same_over_json() {
    Box::pin(the_model_is_sent_the_same(Transport::Json)).await;
}
