//! The store that lives in this process and goes with it.
//!
//! Under one lock, so everything is atomic; nothing is durable beyond the process. It is the twin against which
//! other stores are tested, and keeps ephemeral sessions that are to have a journal all the same.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use carrel_contract::{CodeModeFuture, SessionId};

use crate::error::{AcquireError, AppendError, CompactError, PutBlobError, RenewError, StoreError};
use crate::{Blob, BlobHash, Cut, Head, Lease, Owner, Page, Position, Store, lease, store};

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<SessionId, Session>,
    blobs: HashMap<BlobHash, Kept>,
}

#[derive(Debug, Default)]
struct Session {
    entries: VecDeque<Bytes>,
    /// How many were cut off before the first.
    cut: u64,
    blobs: HashSet<BlobHash>,
    /// The greatest so far.
    epoch: u64,
    lease: Option<Lease>,
}

#[derive(Debug)]
struct Kept {
    blob: Blob,
    /// How many sessions use it.
    uses: usize,
}

impl Memory {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock leaves it half done and panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn head(&self) -> Head {
        let last = Position(self.cut).advance(self.entries.len() as u64);
        let first = if self.entries.is_empty() { Position::START } else { Position(self.cut).next() };
        Head { first, last }
    }
}

impl State {
    fn head(&self, session: &SessionId) -> Head {
        self.sessions.get(session).map(Session::head).unwrap_or_default()
    }

    fn append(
        &mut self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> Result<Position, AppendError> {
        store::check_append(expected, &entries)?;
        let actual = self.head(session).last;
        if actual != expected {
            return Err(AppendError::Conflict { expected, actual });
        }
        if entries.is_empty() {
            return Ok(actual);
        }
        let session = self.sessions.entry(session.clone()).or_default();
        session.entries.extend(entries);
        Ok(session.head().last)
    }

    fn read(&self, session: &SessionId, after: Position, max_bytes: usize) -> Page {
        let Some(session) = self.sessions.get(session) else { return Page::default() };
        let skipped = usize::try_from(after.0.saturating_sub(session.cut)).unwrap_or(usize::MAX);
        let mut position = Position(session.cut.max(after.0));
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for entry in session.entries.iter().skip(skipped) {
            bytes += entry.len();
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            position = position.next();
            entries.push((position, entry.clone()));
        }
        Page { entries, head: session.head() }
    }

    fn compact(&mut self, session: &SessionId, expected: Position, cut: Cut) -> Result<(), CompactError> {
        let head = self.head(session);
        if head.last != expected {
            return Err(CompactError::Conflict { expected, actual: head.last });
        }
        let Some(found) = self.sessions.get_mut(session) else { return Ok(()) };
        let first = cut.before.min(head.last);
        while Position(found.cut).next() < first {
            found.entries.pop_front();
            found.cut += 1;
        }
        let kept: HashSet<_> = cut.blobs.into_iter().collect();
        let dropped: Vec<_> = found.blobs.difference(&kept).copied().collect();
        found.blobs.retain(|hash| kept.contains(hash));
        self.give_up(dropped);
        Ok(())
    }

    fn delete(&mut self, session: &SessionId) -> bool {
        let Some(gone) = self.sessions.remove(session) else { return false };
        let had_a_journal = !gone.entries.is_empty();
        self.give_up(gone.blobs);
        had_a_journal
    }

    fn give_up(&mut self, blobs: impl IntoIterator<Item = BlobHash>) {
        for hash in blobs {
            let Some(kept) = self.blobs.get_mut(&hash) else { continue };
            kept.uses -= 1;
            if kept.uses == 0 {
                self.blobs.remove(&hash);
            }
        }
    }

    fn put_blob(&mut self, session: &SessionId, blob: Blob) -> Result<(), PutBlobError> {
        store::check_blob(&blob)?;
        if self.sessions.entry(session.clone()).or_default().blobs.insert(blob.hash()) {
            self.blobs.entry(blob.hash()).or_insert_with(|| Kept { blob, uses: 0 }).uses += 1;
        }
        Ok(())
    }

    fn share_blob(&mut self, session: &SessionId, hash: BlobHash) -> bool {
        let Some(kept) = self.blobs.get_mut(&hash) else { return false };
        let is_new = self.sessions.entry(session.clone()).or_default().blobs.insert(hash);
        kept.uses += usize::from(is_new);
        true
    }

    fn acquire(
        &mut self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> Result<Lease, AcquireError> {
        let session = self.sessions.entry(session.clone()).or_default();
        if let Some(held) = &session.lease
            && held.owner != *owner
            && now_us < held.until_us
        {
            return Err(AcquireError::OwnedElsewhere { owner: held.owner.clone(), until_us: held.until_us });
        }
        session.epoch += 1;
        let lease = Lease { owner: owner.clone(), epoch: session.epoch, until_us: lease::until(now_us, ttl) };
        session.lease = Some(lease.clone());
        Ok(lease)
    }

    /// Returns the lease as it is kept, if nobody has taken it since.
    fn held(&mut self, session: &SessionId, lease: &Lease) -> Option<&mut Option<Lease>> {
        let held = &mut self.sessions.get_mut(session)?.lease;
        let same = held.as_ref().is_some_and(|held| held.epoch == lease.epoch && held.owner == lease.owner);
        same.then_some(held)
    }
}

impl Store for Memory {
    fn append(
        &self,
        session: &SessionId,
        expected: Position,
        entries: Vec<Bytes>,
    ) -> CodeModeFuture<'_, Position, AppendError> {
        Box::pin(ready(self.lock().append(session, expected, entries)))
    }

    fn read(
        &self,
        session: &SessionId,
        after: Position,
        max_bytes: usize,
    ) -> CodeModeFuture<'_, Page, StoreError> {
        Box::pin(ready(Ok(self.lock().read(session, after, max_bytes))))
    }

    fn head(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Head>, StoreError> {
        let head = self.lock().head(session);
        Box::pin(ready(Ok((head.last > Position::START).then_some(head))))
    }

    fn list(
        &self,
        after: Option<&SessionId>,
        limit: usize,
    ) -> CodeModeFuture<'_, Vec<SessionId>, StoreError> {
        let sessions = self
            .lock()
            .sessions
            .iter()
            .filter(|(id, session)| after.is_none_or(|after| *id > after) && !session.entries.is_empty())
            .map(|(id, _)| id.clone())
            .take(limit)
            .collect();
        Box::pin(ready(Ok(sessions)))
    }

    fn delete(&self, session: &SessionId) -> CodeModeFuture<'_, bool, StoreError> {
        Box::pin(ready(Ok(self.lock().delete(session))))
    }

    fn compact(
        &self,
        session: &SessionId,
        expected: Position,
        cut: Cut,
    ) -> CodeModeFuture<'_, (), CompactError> {
        Box::pin(ready(self.lock().compact(session, expected, cut)))
    }

    fn put_blob(&self, session: &SessionId, blob: Blob) -> CodeModeFuture<'_, (), PutBlobError> {
        Box::pin(ready(self.lock().put_blob(session, blob)))
    }

    fn share_blob(&self, session: &SessionId, hash: BlobHash) -> CodeModeFuture<'_, bool, PutBlobError> {
        Box::pin(ready(Ok(self.lock().share_blob(session, hash))))
    }

    fn get_blob(&self, hash: BlobHash) -> CodeModeFuture<'_, Option<Blob>, StoreError> {
        Box::pin(ready(Ok(self.lock().blobs.get(&hash).map(|kept| kept.blob.clone()))))
    }

    fn blobs(&self, session: &SessionId) -> CodeModeFuture<'_, Vec<BlobHash>, StoreError> {
        let state = self.lock();
        let mut blobs: Vec<_> =
            state.sessions.get(session).into_iter().flat_map(|session| &session.blobs).copied().collect();
        drop(state);
        blobs.sort_unstable();
        Box::pin(ready(Ok(blobs)))
    }

    fn acquire(
        &self,
        session: &SessionId,
        owner: &Owner,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, AcquireError> {
        Box::pin(ready(self.lock().acquire(session, owner, ttl, now_us)))
    }

    fn renew(
        &self,
        session: &SessionId,
        lease: &Lease,
        ttl: Duration,
        now_us: i64,
    ) -> CodeModeFuture<'_, Lease, RenewError> {
        let renewed = self.lock().held(session, lease).and_then(Option::as_mut).map(|held| {
            held.until_us = lease::until(now_us, ttl);
            held.clone()
        });
        Box::pin(ready(renewed.ok_or(RenewError::Lost { epoch: lease.epoch })))
    }

    fn lease(&self, session: &SessionId) -> CodeModeFuture<'_, Option<Lease>, StoreError> {
        let lease = self.lock().sessions.get(session).and_then(|session| session.lease.clone());
        Box::pin(ready(Ok(lease)))
    }

    fn release(&self, session: &SessionId, lease: &Lease) -> CodeModeFuture<'_, (), StoreError> {
        if let Some(held) = self.lock().held(session, lease) {
            *held = None;
        }
        Box::pin(ready(Ok(())))
    }
}
