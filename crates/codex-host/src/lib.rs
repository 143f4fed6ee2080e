//! A Codex code-mode host over this project's sessions: arguments, the provider, and where clients come.
//!
//! The protocol is `carrel-codex`'s. A client starts this program in place of the host that it knows, so its arguments and
//! what it writes are that host's; what this one has on top is asked for with a flag or a variable.

mod args;
mod client;
mod listen;
mod provider;

pub use args::Args;
pub use listen::{InvalidListen, Listen};

use std::process::ExitCode;
use std::sync::Arc;

use carrel_codex::Hosting;

/// Runs the program until its client leaves.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match attempt(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("Error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn attempt(args: &Args) -> Result<(), String> {
    let listen: Listen = args.listen.parse().map_err(|error: InvalidListen| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("failed to start: {error}"))?;
    let served = runtime.block_on(async {
        let provider = provider::make(args.data.as_deref())?;
        let mut hosting = Hosting::new(provider);
        if args.data.is_some() {
            hosting = hosting.keeping(client::identity(args.client.as_deref()));
        }
        listen.serve(Arc::new(hosting)).await
    });
    // A cell that computes would not let its thread end, and nobody waits for it any more.
    runtime.shutdown_background();
    served
}
