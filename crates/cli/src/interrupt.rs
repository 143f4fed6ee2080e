//! Ctrl-C: once to end the cell, twice to leave at once.

use carrel_contract::CancellationToken;
use tokio::task::JoinSet;

use crate::exit::Exit;

/// Fires at the first Ctrl-C.
pub(crate) type Interrupt = CancellationToken;

/// Runs a command to its end. The first Ctrl-C asks it to end what it runs; the second leaves it as it is.
///
/// The command runs as a task of its own, so that one stuck in a write cannot hold up the second Ctrl-C.
pub(crate) async fn supervise<F>(command: impl FnOnce(Interrupt) -> F) -> Exit
where
    F: Future<Output = Exit> + Send + 'static,
{
    let interrupt = Interrupt::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(command(interrupt.clone()));
    loop {
        tokio::select! {
            ended = tasks.join_next() => {
                // A panic has been printed already, by the panic hook.
                return ended.and_then(Result::ok).unwrap_or(Exit::Internal);
            }
            signal = tokio::signal::ctrl_c() => {
                if signal.is_err() || interrupt.is_cancelled() {
                    return Exit::Interrupted;
                }
                interrupt.cancel();
            }
        }
    }
}
