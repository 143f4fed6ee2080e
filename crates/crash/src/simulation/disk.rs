//! The store of a process: what it has kept outlives the process, and its faults are drawn.
//!
//! Writes are done one after the other. Each takes its time, and may fail, before it is done or after; or the process dies
//! with it, before or after. Who is dead waits for ever.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};
use carrel_journal::error::{AcquireError, AppendError, CompactError, PutBlobError, RenewError, StoreError};
use carrel_journal::{Blob, BlobHash, Cut, Head, Lease, Memory, Owner, Page, Position, Store};
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

    fn read_with<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Memory) -> CodeModeFuture<'a, T, StoreError> + Send + 'a,
    ) -> CodeModeFuture<'a, T, StoreError> {
        Box::pin(async move {
            self.alive().await;
            work(&self.kept).await
        })
    }
}

impl Store for Disk {
    fn append(
        &self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        let session = session.clone();
        self.write(move |kept| kept.append(&session, expected, entries))
    }

    fn read(
        &self,
        session: &SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        let session = session.clone();
        self.read_with(move |kept| kept.read(&session, after, max_bytes))
    }

    fn head(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Head>, StoreError> {
        let session = session.clone();
        self.read_with(move |kept| kept.head(&session))
    }

    fn list(
        &self,
        after: Option<&SessionId>,
        limit: usize,
    ) -> CodeModeFuture<'_, Vec<SessionId>, StoreError> {
        let after = after.cloned();
        self.read_with(move |kept| kept.list(after.as_ref(), limit))
    }

    fn delete(&self, session: &SessionId) -> CodeModeFuture<'_, bool, StoreError> {
        let session = session.clone();
        self.write(move |kept| kept.delete(&session))
    }

    fn compact(
        &self,
        session: &SessionId,
        expected: Position,
        cut: Cut,
    ) -> CodeModeFuture<'_, (), CompactError> {
        let session = session.clone();
        self.write(move |kept| kept.compact(&session, expected, cut))
    }

    fn put_blob(&self, session: &SessionId, blob: Blob) -> CodeModeFuture<'_, (), PutBlobError> {
        let session = session.clone();
        self.write(move |kept| kept.put_blob(&session, blob))
    }

    fn share_blob(&self, session: &SessionId, hash: BlobHash) -> CodeModeFuture<'_, bool, PutBlobError> {
        let session = session.clone();
        self.write(move |kept| kept.share_blob(&session, hash))
    }

    fn get_blob(&self, hash: BlobHash) -> CodeModeFuture<'_, Option<Blob>, StoreError> {
        self.read_with(move |kept| kept.get_blob(hash))
    }

    fn blobs(&self, session: &SessionId) -> CodeModeFuture<'_, Vec<BlobHash>, StoreError> {
        let session = session.clone();
        self.read_with(move |kept| kept.blobs(&session))
    }

    fn acquire(
        &self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, AcquireError> {
        let (session, owner) = (session.clone(), owner.clone());
        self.write(move |kept| kept.acquire(&session, &owner, ttl, now_us))
    }

    fn renew(
        &self,
        session: &SessionId,
        lease: &Lease,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, RenewError> {
        let (session, lease) = (session.clone(), lease.clone());
        self.write(move |kept| kept.renew(&session, &lease, ttl, now_us))
    }

    fn lease(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Lease>, StoreError> {
        let session = session.clone();
        self.read_with(move |kept| kept.lease(&session))
    }

    fn release(&self, session: &SessionId, lease: &Lease) -> CodeModeFuture<'_, (), StoreError> {
        let (session, lease) = (session.clone(), lease.clone());
        self.write(move |kept| kept.release(&session, &lease))
    }
}
