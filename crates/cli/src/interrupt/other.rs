//! Ctrl-C, where there are no signals.

use std::io;

use crate::exit::Exit;

/// Ctrl-C and nothing else.
pub(super) struct Signals;

impl Signals {
    /// Takes Ctrl-C from here on.
    pub(super) fn new(_: bool) -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next Ctrl-C. Cancel safe.
    pub(super) async fn next(&mut self) -> Exit {
        // Without a way to be told there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    }
}

/// Tells whether hanging up is no reason to end: there is none.
pub(super) fn hang_up_is_ignored() -> bool {
    true
}
