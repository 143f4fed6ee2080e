//! A store that kills its process at a step: before it passes on what it was asked for, or after it was done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};
use carrel_journal::error::{AcquireError, AppendError, CompactError, PutBlobError, RenewError, StoreError};
use carrel_journal::{Blob, BlobHash, Cut, Head, Lease, Owner, Page, Position, Sqlite, Store};

/// Counts steps, two for each write, and dies at one.
pub(crate) struct Deadly {
    store: Sqlite,
    steps: AtomicU64,
    deadly_step: u64,
}

impl Deadly {
    /// A `deadly_step` of 0 never comes.
    pub(crate) fn new(store: Sqlite, deadly_step: u64) -> Self {
        Self { store, steps: AtomicU64::new(0), deadly_step }
    }

    /// Returns how many steps there were.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    fn step(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) + 1 == self.deadly_step {
            let this = rustix::process::getpid();
            rustix::process::kill_process(this, rustix::process::Signal::KILL).ok();
            loop {
                std::thread::park();
            }
        }
    }

    /// Does something between two steps.
    fn between<'a, T: 'a, E: 'a>(&'a self, write: CodeModeFuture<'a, T, E>) -> CodeModeFuture<'a, T, E> {
        self.step();
        Box::pin(async move {
            let done = write.await;
            self.step();
            done
        })
    }
}

impl Store for Deadly {
    fn append(
        &self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        self.between(self.store.append(session, expected, entries))
    }

    fn read(
        &self,
        session: &SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        self.store.read(session, after, max_bytes)
    }

    fn head(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Head>, StoreError> {
        self.store.head(session)
    }

    fn list(
        &self,
        after: Option<&SessionId>,
        limit: usize,
    ) -> CodeModeFuture<'_, Vec<SessionId>, StoreError> {
        self.store.list(after, limit)
    }

    fn delete(&self, session: &SessionId) -> CodeModeFuture<'_, bool, StoreError> {
        self.between(self.store.delete(session))
    }

    fn compact(
        &self,
        session: &SessionId,
        expected: Position,
        cut: Cut,
    ) -> CodeModeFuture<'_, (), CompactError> {
        self.between(self.store.compact(session, expected, cut))
    }

    fn put_blob(&self, session: &SessionId, blob: Blob) -> CodeModeFuture<'_, (), PutBlobError> {
        self.between(self.store.put_blob(session, blob))
    }

    fn blobs(&self, session: &SessionId) -> CodeModeFuture<'_, Vec<BlobHash>, StoreError> {
        self.store.blobs(session)
    }

    fn share_blob(&self, session: &SessionId, hash: BlobHash) -> CodeModeFuture<'_, bool, PutBlobError> {
        self.between(self.store.share_blob(session, hash))
    }

    fn get_blob(&self, hash: BlobHash) -> CodeModeFuture<'_, Option<Blob>, StoreError> {
        self.store.get_blob(hash)
    }

    fn acquire(
        &self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, AcquireError> {
        self.between(self.store.acquire(session, owner, ttl, now_us))
    }

    fn renew(
        &self,
        session: &SessionId,
        lease: &Lease,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, RenewError> {
        self.between(self.store.renew(session, lease, ttl, now_us))
    }

    fn lease(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Lease>, StoreError> {
        self.store.lease(session)
    }

    fn release(&self, session: &SessionId, lease: &Lease) -> CodeModeFuture<'_, (), StoreError> {
        self.between(self.store.release(session, lease))
    }
}
