//! Reads everything a store has, and says what of it is not as it was written.

use std::collections::HashSet;
use std::fmt;

use carrel_contract::SessionId;

use crate::error::{DamageKind, Damaged, StoreError};
use crate::{BlobHash, Position, Store, Tail, reread};

/// What is read at once.
const PAGE_BYTES: usize = 1 << 20;
/// How many sessions are listed at once.
const LISTED: usize = 1000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Sessions read.
    pub sessions: u64,
    /// Sound entries read.
    pub entries: u64,
    /// Their bytes.
    pub entry_bytes: u64,
    /// Sound blobs read; one that several sessions have counts for each.
    pub blobs: u64,
    /// What is wrong; nothing when all is well.
    pub faults: Vec<Fault>,
}

impl Report {
    fn add(&mut self, found: Self) {
        self.sessions += found.sessions;
        self.entries += found.entries;
        self.entry_bytes += found.entry_bytes;
        self.blobs += found.blobs;
        self.faults.extend(found.faults);
    }
}

/// Something that is not as it was written. Other sessions can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The session that cannot be read.
    pub session: SessionId,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An entry cannot be read, and so none after it.
    Entry(Damaged),
    /// An entry names a blob that the session does not have.
    MissingBlob {
        /// The entry.
        position: Position,
        /// The blob.
        hash: BlobHash,
    },
    /// The store cannot read what it has.
    Store(StoreError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Entry(damaged) => damaged.fmt(f),
            FaultKind::MissingBlob { position, hash } => {
                write!(f, "session {}: entry {position} names blob {hash}, which is not there", self.session)
            }
            FaultKind::Store(error) => write!(f, "session {}: {error}", self.session),
        }
    }
}

/// Reads every entry of every session, with its checksum, and every blob, with its hash. Changes nothing, and sessions may
/// go on meanwhile: what they append is not looked at, and one whose journal is cut is read anew.
///
/// # Errors
/// [`StoreError`] when the store cannot list its sessions. What is wrong with one session is in the report.
pub async fn check(store: &dyn Store) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut after = None;
    loop {
        let sessions = store.list(after.as_ref(), LISTED).await?;
        let Some(last) = sessions.last() else { return Ok(report) };
        after = Some(last.clone());
        for session in sessions {
            let (Ok(found) | Err(found)) = reread(store, &session, || check_session(store, &session)).await;
            report.add(found);
        }
    }
}

/// Returns what was found of a session: as an error when that is a fault.
async fn check_session(store: &dyn Store, session: &SessionId) -> Result<Report, Report> {
    let mut found = Report { sessions: 1, ..Report::default() };
    match read_session(store, session, &mut found).await {
        Ok(()) => Ok(found),
        Err(kind) => {
            found.faults.push(Fault { session: session.clone(), kind });
            Err(found)
        }
    }
}

async fn read_session(store: &dyn Store, session: &SessionId, found: &mut Report) -> Result<(), FaultKind> {
    // Blobs come before the entries that name them, so those that are listed after the head are all that its entries need.
    let head = store.head(session).await.map_err(FaultKind::Store)?;
    let blobs: HashSet<_> = store.blobs(session).await.map_err(FaultKind::Store)?.into_iter().collect();
    for hash in &blobs {
        // One that is listed and gone a moment later was given up by a cut.
        store.get_blob(*hash).await.map_err(FaultKind::Store)?;
        found.blobs += 1;
    }
    let Some(head) = head else { return Ok(()) };
    let mut tail = Tail::after(session.clone(), Position(head.first.0.saturating_sub(1)));
    while tail.position() < head.last {
        let page = store.read(session, tail.position(), PAGE_BYTES).await.map_err(FaultKind::Store)?;
        if page.entries.is_empty() {
            let expected = tail.position().next();
            let missing = Damaged::new(session, head.last, DamageKind::Missing { expected });
            return Err(FaultKind::Entry(missing));
        }
        for (position, bytes) in page.entries.into_iter().take_while(|(position, _)| *position <= head.last) {
            for record in tail.read(position, &bytes).map_err(FaultKind::Entry)? {
                if let Some(hash) = record.into_blobs().into_iter().find(|hash| !blobs.contains(hash)) {
                    return Err(FaultKind::MissingBlob { position, hash });
                }
            }
            found.entries += 1;
            found.entry_bytes += bytes.len() as u64;
        }
    }
    Ok(())
}
