//! Where journals are kept: the trait that each store implements, and what its methods promise.
//!
//! The trait asks for no more than a replicated stream with conditional appends, a key-value bucket with compare-and-set
//! and an object store give, so that one can stand behind it. A store keeps entries as bytes and never reads them. The
//! feature `testing` has the tests that each store has to pass.
//!
//! **Durable** means: it is there after the loss of the process, and of the machine's power, at once after the future has
//! resolved. **Atomic** means: every reader, after a crash also, sees all of it or nothing.
//!
//! **Cancelling**: a future that is dropped withdraws nothing. What it asked for may happen later, or never.
//!
//! **Order**: what is asked for by calls that follow each other happens in their order, the earlier futures being ready or
//! not; an appender may ask for the next entry before the last one is durable. (Reads are not part of that: they
//! see what was acknowledged when they were called, and perhaps more.)

use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};

use crate::error::{AcquireError, AppendError, CompactError, PutBlobError, RenewError, StoreError};
use crate::{Blob, BlobHash, Lease, Owner, Position};

/// The most bytes that one entry may have: 512 KiB, half of what a NATS message may have by default. Larger values
/// go into blobs.
pub const MAX_ENTRY_BYTES: usize = 512 * 1024;
/// The most bytes that the entries of one append may have together: 8 MiB.
pub const MAX_APPEND_BYTES: usize = 8 * 1024 * 1024;
/// The same for the append that a session begins with, so that one that is copied is there whole or not at all: 256 MiB.
/// NATS takes a thousand messages at once.
pub const MAX_FIRST_APPEND_BYTES: usize = 256 * 1024 * 1024;
/// The most bytes that one blob may have: 512 MiB.
pub const MAX_BLOB_BYTES: usize = 512 * 1024 * 1024;

/// Keeps the journals of sessions.
pub trait Store: Send + Sync {
    /// Appends entries to a session's journal, if its last entry is the one at `expected`, and returns the position of
    /// the last one now. A session begins with its first append, at [`Position::START`].
    ///
    /// Atomic, and durable on return. Without entries it appends nothing, and tells whether `expected` is right.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when another has appended, or deleted the session; [`AppendError::TooLarge`] when the
    /// entries are over their bounds: nothing has happened. [`AppendError::Store`] when the store failed: what became of
    /// the entries is unknown, where [`StoreError::is_unknown`] says so, until the journal is read again.
    fn append(
        &self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError>;

    /// Reads the entries after a position, oldest first: at least one, if there is one, and further ones while all
    /// together have at most `max_bytes`. A session that is not there has none.
    ///
    /// A page is of one moment, two pages need not be: between them the journal may grow, or be cut at its beginning.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(
        &self,
        session: &SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError>;

    /// Returns what the store knows of a session's journal; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Head>, StoreError>;

    /// Lists the sessions that have a journal, sorted by id, at most `limit` after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn list(&self, after: Option<&SessionId>, limit: usize)
    -> CodeModeFuture<'_, Vec<SessionId>, StoreError>;

    /// Deletes a session: journal, lease, and blobs that no other session uses. Returns whether it was there.
    ///
    /// Durable on return. The journal goes at once or not at all; blobs may follow later.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delete(&self, session: &SessionId) -> CodeModeFuture<'_, bool, StoreError>;

    /// Cuts off the beginning of a session's journal, if its last entry is the one at `expected`, and gives up the blobs
    /// that only the cut part used. Entries keep their positions, and the last one always stays.
    ///
    /// Durable on return. A crash may leave blobs that nothing uses; the next cut finds them.
    ///
    /// # Errors
    /// [`CompactError::Conflict`] when another has appended: nothing has happened, and the newer journal may use blobs
    /// that `cut` does not know. [`CompactError::Store`].
    fn compact(
        &self,
        session: &SessionId,
        expected: Position,
        cut: Cut,
    ) -> CodeModeFuture<'_, (), CompactError>;

    /// Keeps a blob for a session. One that is there already, for this or another session, is kept once.
    ///
    /// Durable on return. A blob comes before the entry that names it, and stays until the session is deleted or a cut
    /// does not keep it.
    ///
    /// # Errors
    /// [`PutBlobError::TooLarge`] over [`MAX_BLOB_BYTES`]; [`PutBlobError::Store`].
    fn put_blob(&self, session: &SessionId, blob: Blob) -> CodeModeFuture<'_, (), PutBlobError>;

    /// Keeps a blob for a session that another session has; false when none has it.
    ///
    /// As [`put_blob`](Self::put_blob), without the bytes. By default it reads and puts them.
    ///
    /// # Errors
    /// [`PutBlobError::Store`].
    fn share_blob(&self, session: &SessionId, hash: BlobHash) -> CodeModeFuture<'_, bool, PutBlobError> {
        let session = session.clone();
        Box::pin(async move {
            let Some(blob) = self.get_blob(hash).await? else { return Ok(false) };
            self.put_blob(&session, blob).await?;
            Ok(true)
        })
    }

    /// Returns a blob; `None` when no session has it. Its bytes were checked against the hash.
    ///
    /// # Errors
    /// [`StoreError`]; its bytes being others is [`StoreError::DamagedBlob`].
    fn get_blob(&self, hash: BlobHash) -> CodeModeFuture<'_, Option<Blob>, StoreError>;

    /// Lists the blobs that are kept for a session, sorted.
    ///
    /// # Errors
    /// [`StoreError`].
    fn blobs(&self, session: &SessionId) -> CodeModeFuture<'_, Vec<BlobHash>, StoreError>;

    /// Takes a session for `ttl` from `now_us` on, if nobody else has it, and returns the lease, with a greater epoch
    /// than any before. Who has it already takes it anew. The session need not have a journal yet.
    ///
    /// Atomic, and durable on return.
    ///
    /// # Errors
    /// [`AcquireError::OwnedElsewhere`] when another's lease has not run out at `now_us`; [`AcquireError::Store`].
    fn acquire(
        &self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, AcquireError>;

    /// Has a lease run until `ttl` from `now_us` on. One that has run out, and that nobody has taken since, is good
    /// again.
    ///
    /// # Errors
    /// [`RenewError::Lost`] when it was taken or released; [`RenewError::Store`].
    fn renew(
        &self,
        session: &SessionId,
        lease: &Lease,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, RenewError>;

    /// Returns who has a session, or had it when its lease ran out; `None` when it was given back, or never taken.
    ///
    /// # Errors
    /// [`StoreError`].
    fn lease(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Lease>, StoreError>;

    /// Gives a lease back. One that was lost stays lost.
    ///
    /// # Errors
    /// [`StoreError`].
    fn release(&self, session: &SessionId, lease: &Lease) -> CodeModeFuture<'_, (), StoreError>;
}

/// A part of a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries, without a gap. They begin later than was asked for when the journal's beginning was cut off.
    pub entries: Vec<(Position, Bytes)>,
    /// The journal at that moment.
    pub head: Head,
}

/// What a store knows of a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The first entry that is kept; [`Position::START`] when there is none.
    pub first: Position,
    /// The last entry; [`Position::START`] when there is none.
    pub last: Position,
}

/// What is cut off a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The first entry that stays; the last one if this is after it. Before the first that is kept, nothing is cut.
    pub before: Position,
    /// The blobs of this session that stay: all that the entries from there on name.
    pub blobs: Vec<BlobHash>,
}

/// Refuses entries that are over their bounds.
pub(crate) fn check_append(expected: Position, entries: &[Bytes]) -> Result<(), AppendError> {
    let too_large = |what, bytes, limit_bytes| AppendError::TooLarge { what, bytes, limit_bytes };
    if let Some(entry) = entries.iter().find(|entry| entry.len() > MAX_ENTRY_BYTES) {
        return Err(too_large("an entry", entry.len(), MAX_ENTRY_BYTES));
    }
    let all = entries.iter().map(Bytes::len).sum();
    let most = if expected == Position::START { MAX_FIRST_APPEND_BYTES } else { MAX_APPEND_BYTES };
    if all > most {
        return Err(too_large("a batch of entries", all, most));
    }
    Ok(())
}

/// Refuses a blob that is too large.
pub(crate) fn check_blob(blob: &Blob) -> Result<(), PutBlobError> {
    let bytes = blob.bytes().len();
    if bytes > MAX_BLOB_BYTES {
        return Err(PutBlobError::TooLarge { bytes, limit_bytes: MAX_BLOB_BYTES });
    }
    Ok(())
}
