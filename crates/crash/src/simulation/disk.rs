//! The store of a process: what it has kept outlives the process, and its faults are drawn.
//!
//! Writes are done one after the other. Each takes its time, and may fail, before it is done or after; or the process dies
//! with it, before or after. Who is dead waits for ever.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carrel_contract::CodeModeFuture;
use carrel_journal::Memory;
use carrel_journal::error::StoreError;
use carrel_journal::testing::PassesOn;
use tokio::sync::watch;
use tokio::time::sleep;

use super::random::Random;

/// The store.
pub(super) struct Disk {
    kept: Arc<Memory>,
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
    dead: watch::Sender<bool>,
}

struct State {
    random: Random,
    /// Once in how many writes there is a fault; never, when this is 0.
    faults: u64,
    poison: Option<StoreError>,
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
    pub(super) fn new(kept: Arc<Memory>, random: Random, faults: u64) -> Self {
        let state = Mutex::new(State { random, faults, poison: None });
        Self { kept, state, turn: tokio::sync::Mutex::default(), dead: watch::Sender::default() }
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
        let time = Duration::from_micros(if state.random.once_in(20) {
            state.random.below(2_000_000)
        } else {
            state.random.below(3000)
        });
        if let Some(cause) = &state.poison {
            return (time, Fate::Poisoned(cause.clone()));
        }
        let faults = state.faults;
        let fate = if faults == 0 || !state.random.once_in(faults) {
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

    async fn alive(&self) {
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
}
