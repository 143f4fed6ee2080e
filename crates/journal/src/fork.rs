//! Makes a session of the beginning of another's journal.
//!
//! The records up to an event are put into the entries of a new journal, chained anew for its id, and all of them
//! appended at once: a fork is there whole or not at all. Large values are shared. The origin is read and nothing of it
//! is changed, so it does not matter who has it, here or in another process.

use std::collections::BTreeSet;

use bytes::Bytes;
use carrel_contract::{Seq, SessionId};
use futures::future::try_join_all;

use crate::error::{AppendError, DamageKind, Damaged, PutBlobError, StoreError};
use crate::{Beginning, BeginningError, BlobHash, Numbering, Position, Record, Store, Tail, record, reread};

/// What is read from the store at once.
const PAGE_BYTES: usize = 4 << 20;
/// Records are put into one entry up to about this size.
const ENTRY_BYTES: usize = 256 * 1024;
/// So many blobs are shared at once, and so with few fsyncs.
const SHARED_AT_ONCE: usize = 256;

/// A session that was forked off another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forked {
    /// The last event that both have.
    pub at: Seq,
    /// The entries of its journal.
    pub entries: u64,
    /// The blobs that it shares with the other.
    pub blobs: u64,
}

/// A session was not forked. Nothing of the fork is there.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// There is no such session.
    #[error("fork session {session}: there is none")]
    NoSession {
        /// The session.
        session: SessionId,
    },
    /// The name is taken.
    #[error("make session {session}: there is one of this name")]
    Exists {
        /// The name.
        session: SessionId,
    },
    /// The log does not go so far.
    #[error("fork session {session} at event {at}: its log ends with event {last}")]
    Beyond {
        /// The session.
        session: SessionId,
        /// What was asked for.
        at: Seq,
        /// The last event.
        last: Seq,
    },
    /// That part of the journal was cut away.
    #[error("fork session {session}: its journal was cut, and begins with entry {first}")]
    Cut {
        /// The session.
        session: SessionId,
        /// The first entry that is there.
        first: Position,
    },
    /// The session's journal cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A blob that the journal names is not there.
    #[error("fork session {session}: its blob {hash} is not there")]
    NoBlob {
        /// The session.
        session: SessionId,
        /// The blob.
        hash: BlobHash,
    },
    /// A blob was not shared.
    #[error(transparent)]
    Blob(#[from] PutBlobError),
    /// The fork's journal was not written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the session `to` of what `origin` was at an event of its log, or is now.
///
/// [`Seq::START`] is before the first cell. Of the records behind an event, up to the next one, the fork has none: what its
/// cells did there, which nobody could see, they do again when the fork is resumed. Whoever forks should hold the lease of
/// `to`, so that what a crash leaves of it, blobs without a journal, is cleared up one day.
///
/// # Errors
/// [`ForkError`].
pub async fn fork(
    store: &dyn Store,
    origin: &SessionId,
    at: Option<Seq>,
    to: &SessionId,
    now_us: i64,
) -> Result<Forked, ForkError> {
    reread(store, origin, || attempt(store, origin, at, to, now_us)).await
}

async fn attempt(
    store: &dyn Store,
    origin: &SessionId,
    at: Option<Seq>,
    to: &SessionId,
    now_us: i64,
) -> Result<Forked, ForkError> {
    if store.head(to).await?.is_some() {
        return Err(ForkError::Exists { session: to.clone() });
    }
    if store.head(origin).await?.is_none_or(|head| head.last == Position::START) {
        return Err(ForkError::NoSession { session: origin.clone() });
    }
    let mut copy = Copy::new(to.clone(), at);
    let mut tail = Tail::start(origin.clone());
    let beginning = Beginning::of(store, origin).await?;
    if let Some((record, _)) = &beginning.fold {
        copy.begin_with(record.clone(), beginning.numbering());
        tail = Tail::after(origin.clone(), beginning.upto);
        if at.is_some_and(|at| at < copy.numbering.last()) {
            return Err(ForkError::Cut { session: origin.clone(), first: beginning.upto.next() });
        }
    }
    while !copy.is_whole {
        let page = store.read(origin, tail.position(), PAGE_BYTES).await?;
        let first = page.head.first;
        if page.entries.is_empty() {
            break;
        }
        if first > tail.position().next() {
            return Err(ForkError::Cut { session: origin.clone(), first });
        }
        for (position, bytes) in page.entries {
            if !copy.is_whole {
                copy.take(origin, position, tail.take_apart(position, &bytes)?)?;
            }
        }
    }
    let last = copy.numbering.last();
    if let Some(at) = at.filter(|at| *at > last) {
        return Err(ForkError::Beyond { session: origin.clone(), at, last });
    }
    let mut forked = Vec::new();
    record::encode(&Record::Forked { origin: origin.to_string(), at: last.0, at_us: now_us }, &mut forked);
    copy.push(&forked);
    copy.seal();
    let blobs: Vec<_> = copy.blobs.into_iter().collect();
    for some in blobs.chunks(SHARED_AT_ONCE) {
        let shared = try_join_all(some.iter().map(|hash| store.share_blob(to, *hash))).await?;
        if let Some((hash, _)) = some.iter().zip(shared).find(|(_, is_shared)| !is_shared) {
            return Err(ForkError::NoBlob { session: origin.clone(), hash: *hash });
        }
    }
    let (entries, blobs) = (copy.entries.len() as u64, blobs.len() as u64);
    match store.append(to, Position::START, copy.entries).await {
        Ok(_) => Ok(Forked { at: last, entries, blobs }),
        Err(AppendError::Conflict { .. }) => Err(ForkError::Exists { session: to.clone() }),
        Err(error) => Err(error.into()),
    }
}

impl From<BeginningError> for ForkError {
    fn from(error: BeginningError) -> Self {
        match error {
            BeginningError::Cut { session, first } => Self::Cut { session, first },
            BeginningError::Damaged(damaged) => damaged.into(),
            BeginningError::NoBlob { session, hash } => Self::NoBlob { session, hash },
            BeginningError::Store(error) => error.into(),
        }
    }
}

/// A journal on its way into another.
struct Copy {
    at: Option<Seq>,
    numbering: Numbering,
    tail: Tail,
    gathered: Vec<u8>,
    entries: Vec<Bytes>,
    blobs: BTreeSet<BlobHash>,
    /// The event is reached.
    is_whole: bool,
}

impl Copy {
    fn new(to: SessionId, at: Option<Seq>) -> Self {
        Self {
            at,
            numbering: Numbering::default(),
            tail: Tail::start(to),
            gathered: Vec::new(),
            entries: Vec::new(),
            blobs: BTreeSet::new(),
            is_whole: false,
        }
    }

    /// Begins with what the other's journal begins with, as the first record of all.
    fn begin_with(&mut self, mut record: Record, numbering: Numbering) {
        if let Record::Folded { lag, .. } = &mut record {
            *lag = 1;
        }
        let mut bytes = Vec::new();
        record::encode(&record, &mut bytes);
        self.push(&bytes);
        self.blobs.extend(record.into_blobs());
        self.numbering = numbering;
        self.is_whole = self.at == Some(self.numbering.last());
    }

    fn take(
        &mut self,
        origin: &SessionId,
        position: Position,
        records: Vec<(Record, Vec<u8>)>,
    ) -> Result<(), Damaged> {
        for (record, bytes) in records {
            let is_first = self.entries.is_empty() && self.gathered.is_empty();
            if is_first && !matches!(record, Record::SessionCreated { .. }) {
                let what = "it is not the making of the session, with which a journal begins".to_owned();
                return Err(Damaged::new(origin, position, DamageKind::Record { offset: 0, what }));
            }
            if matches!(record, Record::Folded { .. }) {
                // It says how far back it goes in entries, which are others here.
                continue;
            }
            self.numbering.number(&record);
            self.push(&bytes);
            self.blobs.extend(record.into_blobs());
            if self.at == Some(self.numbering.last()) {
                self.is_whole = true;
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, record: &[u8]) {
        if !self.gathered.is_empty() && self.gathered.len() + record.len() > ENTRY_BYTES {
            self.seal();
        }
        self.gathered.extend_from_slice(record);
    }

    fn seal(&mut self) {
        // A tail that began at the start can always be written on.
        self.entries.extend(self.tail.seal_encoded(&self.gathered));
        self.gathered.clear();
    }
}
