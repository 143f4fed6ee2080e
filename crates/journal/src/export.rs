//! Sessions as one file, to keep or to carry to another store.
//!
//! The format, version 1: the magic `CARREL-EXPORT\0` and the version as one byte; then frames, each its length (u32,
//! little-endian) and a [`Frame`] as CBOR. A session is its name, its blobs, its entries as they are in the journal,
//! checksums included, and its end. The last frame holds the BLAKE3 hash of all bytes before it. It is written and read
//! from front to back, so a pipe will do; a blob that several sessions have is written once.

use std::collections::HashSet;
use std::io::{self, Write};

use carrel_contract::SessionId;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::error::{Damaged, StoreError};
use crate::{Blob, BlobHash, Position, Store, Tail, reread};

pub(crate) const MAGIC: &[u8; 14] = b"CARREL-EXPORT\0";
/// The version that this build writes.
pub(crate) const VERSION: u8 = 1;
/// What is read from the store at once.
const PAGE_BYTES: usize = 1 << 20;

/// A part of the file.
#[derive(Debug, Encode, Decode)]
pub(crate) enum Frame {
    /// A session begins.
    #[n(0)]
    Session {
        #[n(0)]
        name: String,
        /// The position before its first entry.
        #[n(1)]
        after: u64,
    },
    /// A blob of the session.
    #[n(1)]
    Blob(#[n(0)] ByteVec),
    /// A blob of the session that came with an earlier one.
    #[n(2)]
    KnownBlob(#[n(0)] BlobHash),
    /// The next entries of the session.
    #[n(3)]
    Entries(#[n(0)] Vec<ByteVec>),
    /// The session ends.
    #[n(4)]
    SessionEnd {
        /// The position of its last entry.
        #[n(0)]
        last: u64,
    },
    /// The file ends.
    #[n(5)]
    End {
        /// Of all before this frame.
        #[n(0)]
        hash: BlobHash,
    },
}

/// What was written, or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions.
    pub sessions: u64,
    /// Their entries.
    pub entries: u64,
    /// Blobs, each once; of sessions that were skipped, none.
    pub blobs: u64,
    /// Sessions that were there already and were left as they are.
    pub skipped: u64,
}

/// Sessions were not exported. What was written is no whole file, and cannot be imported as one.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such session.
    #[error("export session {session}: there is none")]
    NoSession {
        /// The session.
        session: SessionId,
    },
    /// A blob that the session has is not there.
    #[error("export session {session}: its blob {hash} is not there")]
    NoBlob {
        /// The session.
        session: SessionId,
        /// The blob.
        hash: BlobHash,
    },
    /// A session cannot be read. Others can be exported without it.
    #[error("export: {0}")]
    Damaged(#[from] Damaged),
    /// The store failed.
    #[error("export: {0}")]
    Store(#[from] StoreError),
    /// The file cannot be written.
    #[error("export: write the file: {0}")]
    Write(#[from] io::Error),
}

/// Writes sessions to a file. Each is of one moment, though it may go on: entries that are appended meanwhile are not in it.
///
/// Holds one session at a time in memory. Blocks in `out`.
///
/// # Errors
/// [`ExportError`].
pub async fn export(
    store: &dyn Store,
    sessions: &[SessionId],
    out: &mut (dyn Write + Send),
) -> Result<Counts, ExportError> {
    let mut file = File { out, hasher: blake3::Hasher::new() };
    file.write(MAGIC)?;
    file.write(&[VERSION])?;
    let mut counts = Counts::default();
    let mut written = HashSet::new();
    for session in sessions {
        let copy = reread(store, session, || Copy::of(store, session, &written)).await?;
        counts.entries += copy.entries.len() as u64;
        counts.sessions += 1;
        file.session(session, copy, &mut written)?;
    }
    counts.blobs = written.len() as u64;
    let hash = BlobHash(file.hasher.finalize().into());
    file.frame(&Frame::End { hash })?;
    file.out.flush()?;
    Ok(counts)
}

/// A session, as it was at one moment.
struct Copy {
    /// The position before its first entry.
    after: Position,
    entries: Vec<ByteVec>,
    /// Its blobs; without their bytes those that are in the file already.
    blobs: Vec<(BlobHash, Option<Blob>)>,
}

impl Copy {
    async fn of(
        store: &dyn Store,
        session: &SessionId,
        written: &HashSet<BlobHash>,
    ) -> Result<Self, ExportError> {
        let no_session = || ExportError::NoSession { session: session.clone() };
        let head = store.head(session).await?.ok_or_else(no_session)?;
        let after = Position(head.first.0.saturating_sub(1));
        // Blobs come before the entries that name them, so those that are listed after the head are all that its entries need.
        let mut blobs = Vec::new();
        for hash in store.blobs(session).await? {
            let blob = match written.contains(&hash) {
                true => None,
                false => {
                    let no_blob = || ExportError::NoBlob { session: session.clone(), hash };
                    Some(store.get_blob(hash).await?.ok_or_else(no_blob)?)
                }
            };
            blobs.push((hash, blob));
        }
        let mut entries = Vec::new();
        let mut tail = Tail::after(session.clone(), after);
        while tail.position() < head.last {
            let page = store.read(session, tail.position(), PAGE_BYTES).await?;
            if page.entries.is_empty() {
                return Err(no_session());
            }
            for (position, bytes) in
                page.entries.into_iter().take_while(|(position, _)| *position <= head.last)
            {
                tail.pass(position, &bytes)?;
                entries.push(bytes.to_vec().into());
            }
        }
        Ok(Self { after, entries, blobs })
    }
}

struct File<'a> {
    out: &'a mut (dyn Write + Send),
    hasher: blake3::Hasher,
}

impl File<'_> {
    fn session(
        &mut self,
        session: &SessionId,
        copy: Copy,
        written: &mut HashSet<BlobHash>,
    ) -> Result<(), ExportError> {
        self.frame(&Frame::Session { name: session.to_string(), after: copy.after.0 })?;
        for (hash, blob) in copy.blobs {
            match blob {
                Some(blob) => self.frame(&Frame::Blob(blob.into_bytes().to_vec().into()))?,
                None => self.frame(&Frame::KnownBlob(hash))?,
            }
            written.insert(hash);
        }
        let last = copy.after.0 + copy.entries.len() as u64;
        let mut entries = copy.entries.into_iter().peekable();
        while entries.peek().is_some() {
            let mut bytes = 0;
            let mut some = Vec::new();
            while let Some(entry) =
                entries.next_if(|entry| some.is_empty() || bytes + entry.len() <= PAGE_BYTES)
            {
                bytes += entry.len();
                some.push(entry);
            }
            self.frame(&Frame::Entries(some))?;
        }
        self.frame(&Frame::SessionEnd { last })?;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let bytes = minicbor::to_vec(frame).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.write(&length.to_le_bytes())?;
        self.write(&bytes)
    }
}
