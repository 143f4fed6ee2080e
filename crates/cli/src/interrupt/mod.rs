//! Being told to end, by Ctrl-C or by a signal: once to end the cell, twice to leave at once.
//!
//! Every such signal is taken alike, because whatever ends this program has to end the MCP servers it started
//! first. Only the exit code tells them apart.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::CancellationToken;
use tokio::task::JoinSet;

use crate::exit::Exit;
#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

/// What this process was started to pass over. It has to be asked before a sandbox keeps the answer back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ignored {
    hang_up: bool,
}

impl Ignored {
    /// Asks.
    pub(crate) fn by_this_process() -> Self {
        Self { hang_up: system::hang_up_is_ignored() }
    }
}

/// Fires at the first signal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    fired: CancellationToken,
    /// How the program ends for it.
    exit: Option<Exit>,
}

impl Interrupt {
    /// Waits for the first signal. Cancel safe.
    pub(crate) async fn fired(&self) -> Exit {
        let fired = self.state().fired.clone();
        fired.cancelled().await;
        self.exit().unwrap_or(Exit::Interrupted)
    }

    /// Returns how the program ends, when it has been told to.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.state().exit
    }

    /// Takes a signal. Tells whether it is the first.
    pub(crate) fn fire(&self, exit: Exit) -> bool {
        let mut state = self.state();
        let first = state.exit.is_none();
        state.exit.get_or_insert(exit);
        state.fired.cancel();
        first
    }

    /// Takes a Ctrl-C as done with: what it was to end has ended, and the program goes on.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        if state.exit == Some(Exit::Interrupted) {
            *state = State::default();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a command to its end. The first signal asks it to end what it runs; the second leaves it as it is.
///
/// The command runs as a task of its own, so that one stuck in a write cannot hold up the second signal.
pub(crate) async fn supervise<F>(ignored: Ignored, command: impl FnOnce(Interrupt) -> F) -> Exit
where
    F: Future<Output = Exit> + Send + 'static,
{
    let interrupt = Interrupt::default();
    // Before the command starts anything that would have to be ended.
    let mut signals = match system::Signals::new(ignored.hang_up) {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("carrel: failed to take signals: {error}");
            return Exit::Internal;
        }
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(command(interrupt.clone()));
    loop {
        tokio::select! {
            ended = tasks.join_next() => {
                // A panic has been printed already, by the panic hook.
                return ended.and_then(Result::ok).unwrap_or(Exit::Internal);
            }
            exit = signals.next() => {
                if !interrupt.fire(exit) {
                    return exit;
                }
            }
        }
    }
}
