//! The store of a process: what it has kept outlives the process, and its faults are drawn.
//!
//! Writes are done one after the other. Each takes its time, and may fail, before it is done or after; or the process dies
//! with it, before or after. Who is dead waits for ever. Several processes may have disks that keep the same.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};
use carrel_journal::error::{AppendError, StoreError};
use carrel_journal::testing::PassesOn;
use carrel_journal::{Memory, Position, Store};
use tokio::sync::watch;
use tokio::time::sleep;

use super::owners::Owners;
use super::random::Random;

/// The store.
pub(super) struct Disk {
    kept: Arc<Memory>,
    owners: Arc<Owners>,
    /// The process.
    process: String,
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
    dead: watch::Sender<bool>,
}

struct State {
    random: Random,
    faults: Faults,
    poison: Option<StoreError>,
}

/// How often something is amiss: once in so many writes; never, when this is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Faults {
    /// They fail, or the process dies.
    pub(super) of_writes: u64,
    /// They take longer than a lease.
    pub(super) delays: u64,
}

/// What becomes of a write.
enum Fate {
    Done,
    Busy,
    FailsBefore,
    FailsAfter,
    DiesBefore,
    DiesAfter,
    Poisoned(StoreError),
}

impl Disk {
    pub(super) fn new(
        kept: Arc<Memory>,
        owners: Arc<Owners>,
        process: String,
        random: Random,
        faults: Faults,
    ) -> Self {
        let state = Mutex::new(State { random, faults, poison: None });
        let (turn, dead) = <(tokio::sync::Mutex<_>, watch::Sender<_>)>::default();
        Self { kept, owners, process, state, turn, dead }
    }

    pub(super) fn process(&self) -> &str {
        &self.process
    }

    /// Waits until the process dies of a write.
    pub(super) async fn died(&self) {
        let mut dead = self.dead.subscribe();
        dead.wait_for(|dead| *dead).await.ok();
    }

    /// Does nothing more.
    pub(super) fn die(&self) {
        self.dead.send_replace(true);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) -> (Duration, Fate) {
        let mut state = self.state();
        let Faults { of_writes, delays } = state.faults;
        let time = Duration::from_micros(if state.random.once_in(20) {
            state.random.below(2_000_000)
        } else if delays > 0 && state.random.once_in(delays) {
            state.random.below(120_000_000)
        } else {
            state.random.below(3000)
        });
        if let Some(cause) = &state.poison {
            return (time, Fate::Poisoned(cause.clone()));
        }
        let fate = if of_writes == 0 || !state.random.once_in(of_writes) {
            Fate::Done
        } else {
            match state.random.below(6) {
                0 => Fate::Busy,
                1 => Fate::FailsBefore,
                2 => Fate::FailsAfter,
                3 | 4 => Fate::DiesBefore,
                _ => Fate::DiesAfter,
            }
        };
        (time, fate)
    }

    /// Returns while the process lives.
    pub(super) async fn alive(&self) {
        if *self.dead.borrow() {
            pending::<()>().await;
        }
    }

    fn fail<E: From<StoreError>>(&self, cause: StoreError) -> E {
        self.state().poison = Some(cause.clone());
        cause.into()
    }
}

impl PassesOn for Disk {
    type Behind = Memory;

    fn behind(&self) -> &Memory {
        &self.kept
    }

    fn write<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Memory) -> CodeModeFuture<'a, T, E> + Send + 'a,
    ) -> CodeModeFuture<'a, T, E> {
        Box::pin(async move {
            let turn = self.turn.lock().await;
            self.alive().await;
            let (time, fate) = self.draw();
            sleep(time / 2).await;
            self.alive().await;
            let done = match fate {
                Fate::Done => work(&self.kept).await,
                Fate::Busy => return Err(StoreError::Busy { waited_ms: 10_000 }.into()),
                Fate::Poisoned(cause) => return Err(StoreError::Poisoned { cause: Box::new(cause) }.into()),
                Fate::FailsBefore => return Err(self.fail(StoreError::Full)),
                Fate::FailsAfter => {
                    work(&self.kept).await.ok();
                    return Err(self.fail(StoreError::Io { detail: "made up".to_owned(), unknown: true }));
                }
                Fate::DiesBefore => {
                    self.die();
                    pending().await
                }
                Fate::DiesAfter => {
                    work(&self.kept).await.ok();
                    self.die();
                    pending().await
                }
            };
            sleep(time / 2).await;
            self.alive().await;
            drop(turn);
            done
        })
    }

    fn look<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Memory) -> CodeModeFuture<'a, T, StoreError> + Send + 'a,
    ) -> CodeModeFuture<'a, T, StoreError> {
        Box::pin(async move {
            self.alive().await;
            work(&self.kept).await
        })
    }

    fn write_entries(
        &self,
        session: SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        self.write(move |kept| {
            Box::pin(async move {
                let appended = kept.append(&session, expected, entries.clone()).await?;
                self.owners.appended(&self.process, &session, expected, &entries);
                Ok(appended)
            })
        })
    }
}
