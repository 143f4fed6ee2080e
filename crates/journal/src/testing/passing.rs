//! A store that passes on what it is asked to another, and does something of its own on the way: fails, waits, dies.
//!
//! Who implements [`PassesOn`] is a store, and says only where it differs from the one behind it.

use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};

use crate::error::{AcquireError, AppendError, CompactError, PutBlobError, RenewError, StoreError};
use crate::{Blob, BlobHash, Cut, Head, Lease, Owner, Page, Position, Store};

/// A store before another.
pub trait PassesOn: Send + Sync {
    /// The other.
    type Behind: Store;

    /// Returns the other.
    fn behind(&self) -> &Self::Behind;

    /// Passes on what changes something.
    fn write<'a, T: Send + 'a, E: From<StoreError> + Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Self::Behind) -> CodeModeFuture<'a, T, E> + Send + 'a,
    ) -> CodeModeFuture<'a, T, E> {
        work(self.behind())
    }

    /// Passes on what changes nothing.
    fn look<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a Self::Behind) -> CodeModeFuture<'a, T, StoreError> + Send + 'a,
    ) -> CodeModeFuture<'a, T, StoreError> {
        work(self.behind())
    }

    /// Passes on an append: a write, unless it is to be seen which.
    fn write_entries(
        &self,
        session: SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        self.write(move |behind| behind.append(&session, expected, entries))
    }

    /// Passes on that entries are read: a look, unless it is to be seen what was read.
    fn read_entries(
        &self,
        session: SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        self.look(move |behind| behind.read(&session, after, max_bytes))
    }
}

impl<S: PassesOn> Store for S {
    fn append(
        &self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        self.write_entries(session.clone(), expected, entries)
    }

    fn read(
        &self,
        session: &SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        self.read_entries(session.clone(), after, max_bytes)
    }

    fn head(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Head>, StoreError> {
        let session = session.clone();
        self.look(move |behind| behind.head(&session))
    }

    fn list(
        &self,
        after: Option<&SessionId>,
        limit: usize,
    ) -> CodeModeFuture<'_, Vec<SessionId>, StoreError> {
        let after = after.cloned();
        self.look(move |behind| behind.list(after.as_ref(), limit))
    }

    fn delete(&self, session: &SessionId) -> CodeModeFuture<'_, bool, StoreError> {
        let session = session.clone();
        self.write(move |behind| behind.delete(&session))
    }

    fn compact(
        &self,
        session: &SessionId,
        expected: Position,
        cut: Cut,
    ) -> CodeModeFuture<'_, (), CompactError> {
        let session = session.clone();
        self.write(move |behind| behind.compact(&session, expected, cut))
    }

    fn put_blob(&self, session: &SessionId, blob: Blob) -> CodeModeFuture<'_, (), PutBlobError> {
        let session = session.clone();
        self.write(move |behind| behind.put_blob(&session, blob))
    }

    fn share_blob(&self, session: &SessionId, hash: BlobHash) -> CodeModeFuture<'_, bool, PutBlobError> {
        let session = session.clone();
        self.write(move |behind| behind.share_blob(&session, hash))
    }

    fn get_blob(&self, hash: BlobHash) -> CodeModeFuture<'_, Option<Blob>, StoreError> {
        self.look(move |behind| behind.get_blob(hash))
    }

    fn blobs(&self, session: &SessionId) -> CodeModeFuture<'_, Vec<BlobHash>, StoreError> {
        let session = session.clone();
        self.look(move |behind| behind.blobs(&session))
    }

    fn acquire(
        &self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, AcquireError> {
        let (session, owner) = (session.clone(), owner.clone());
        self.write(move |behind| behind.acquire(&session, &owner, ttl, now_us))
    }

    fn renew(
        &self,
        session: &SessionId,
        lease: &Lease,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, RenewError> {
        let (session, lease) = (session.clone(), lease.clone());
        self.write(move |behind| behind.renew(&session, &lease, ttl, now_us))
    }

    fn lease(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Lease>, StoreError> {
        let session = session.clone();
        self.look(move |behind| behind.lease(&session))
    }

    fn release(&self, session: &SessionId, lease: &Lease) -> CodeModeFuture<'_, (), StoreError> {
        let (session, lease) = (session.clone(), lease.clone());
        self.write(move |behind| behind.release(&session, &lease))
    }
}
