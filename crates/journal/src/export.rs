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
use crate::{BlobHash, Position, Store, Tail};

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

/// Writes sessions to a file. Each is of one moment; entries that are appended meanwhile are not in it.
///
/// Blocks in `out`.
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
        let head = store.head(session).await?;
        let head = head.ok_or_else(|| ExportError::NoSession { session: session.clone() })?;
        let after = Position(head.first.0.saturating_sub(1));
        file.frame(&Frame::Session { name: session.to_string(), after: after.0 })?;
        for hash in store.blobs(session).await? {
            if written.contains(&hash) {
                file.frame(&Frame::KnownBlob(hash))?;
            } else if let Some(blob) = store.get_blob(hash).await? {
                file.frame(&Frame::Blob(blob.into_bytes().to_vec().into()))?;
                written.insert(hash);
            }
        }
        let mut tail = Tail::after(session.clone(), after);
        while tail.position() < head.last {
            let page = store.read(session, tail.position(), PAGE_BYTES).await?;
            let mut entries = Vec::with_capacity(page.entries.len());
            for (position, bytes) in page.entries {
                if position <= head.last {
                    tail.pass(position, &bytes)?;
                    entries.push(bytes.to_vec().into());
                }
            }
            if entries.is_empty() {
                // It was deleted meanwhile.
                return Err(ExportError::NoSession { session: session.clone() });
            }
            counts.entries += entries.len() as u64;
            file.frame(&Frame::Entries(entries))?;
        }
        file.frame(&Frame::SessionEnd { last: head.last.0 })?;
        counts.sessions += 1;
    }
    counts.blobs = written.len() as u64;
    let hash = BlobHash(file.hasher.finalize().into());
    file.frame(&Frame::End { hash })?;
    file.out.flush()?;
    Ok(counts)
}

struct File<'a> {
    out: &'a mut (dyn Write + Send),
    hasher: blake3::Hasher,
}

impl File<'_> {
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
