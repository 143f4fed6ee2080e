//! Reads back what [`export`](crate::export) wrote.
//!
//! Everything is checked on the way: each entry against its checksum, the file as a whole against its hash. A session whose
//! journal began later than at its first entry begins at 1 here, and is chained anew. Snapshots that another installation
//! signed are signed for this one where somebody says that the file is to be trusted.

use std::io::{self, Read};

use bytes::Bytes;
use carrel_contract::SessionId;
use minicbor::decode::Error as DecodeError;

use crate::error::{AppendError, Damaged, PutBlobError, StoreError};
use crate::export::{Counts, Frame, MAGIC, VERSION};
use crate::fold::{self, Fold, ReadFoldError};
use crate::{Blob, BlobHash, Position, Record, SnapshotKey, Store, Tail};

/// What to do with a session that the store has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Stop.
    Refuse,
    /// Leave it as it is, and go on.
    Skip,
}

/// A file was not imported, or not all of it: sessions before the one that failed are there, that one is not.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is something else.
    #[error("import: it is no export of Carrel's")]
    NotAnExport,
    /// It is of a version that this build does not read.
    #[error(
        "import: the file is of version {found}, this build reads versions up to {newest}; use a newer version of Carrel"
    )]
    Newer {
        /// The version of the file.
        found: u8,
        /// The newest version of this build.
        newest: u8,
    },
    /// It ends before its end.
    #[error("import: the file is cut short after {offset} bytes")]
    Short {
        /// Where.
        offset: u64,
    },
    /// It is not as it was written.
    #[error("import: the file is damaged before byte {offset}: {what}")]
    Damaged {
        /// Where.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// An entry in it is not as it was written.
    #[error("import: {0}")]
    Entry(#[from] Damaged),
    /// The store has the session.
    #[error("import session {session}: the store has one of this name already")]
    Exists {
        /// The session.
        session: SessionId,
    },
    /// An entry was not appended.
    #[error("import: {0}")]
    Append(#[from] AppendError),
    /// A blob was not kept.
    #[error("import: {0}")]
    Blob(#[from] PutBlobError),
    /// A fold cannot be read, whose snapshots are to be signed.
    #[error("import: {0}")]
    Fold(#[from] ReadFoldError),
    /// The store failed.
    #[error("import: {0}")]
    Store(#[from] StoreError),
    /// The file cannot be read.
    #[error("import: read the file: {0}")]
    Read(io::Error),
}

/// Reads a file of [`export`](crate::export::export)'s into a store. Blocks in `input`.
///
/// # Errors
/// [`ImportError`]. The session under way is deleted again.
pub async fn import(
    store: &dyn Store,
    input: &mut (dyn Read + Send),
    existing: Existing,
) -> Result<Counts, ImportError> {
    import_with(store, input, existing, None).await
}

/// The same of a file that is trusted: the snapshots that its journals name are signed with a key of this installation, so
/// that VMs are made of them here. Only for files of somebody who may run any code in a VM of this installation's.
///
/// # Errors
/// [`ImportError`]. The session under way is deleted again.
pub async fn import_trusted(
    store: &dyn Store,
    input: &mut (dyn Read + Send),
    existing: Existing,
    key: &SnapshotKey,
) -> Result<Counts, ImportError> {
    import_with(store, input, existing, Some(key)).await
}

async fn import_with(
    store: &dyn Store,
    input: &mut (dyn Read + Send),
    existing: Existing,
    key: Option<&SnapshotKey>,
) -> Result<Counts, ImportError> {
    let mut file = File { input, hasher: blake3::Hasher::new(), offset: 0 };
    match file.take(MAGIC.len() as u64) {
        Ok(magic) if magic == MAGIC => {}
        Ok(_) | Err(ImportError::Short { .. }) => return Err(ImportError::NotAnExport),
        Err(error) => return Err(error),
    }
    let found = file.take(1)?.first().copied().unwrap_or_default();
    if found != VERSION {
        return Err(ImportError::Newer { found, newest: VERSION });
    }
    let mut counts = Counts::default();
    loop {
        let hash = BlobHash(file.hasher.finalize().into());
        match file.frame()? {
            Frame::Session { name, after } => {
                let session = SessionId::new(&name).map_err(|error| file.damaged(error.to_string()))?;
                let skip = store.head(&session).await?.is_some();
                if skip && existing == Existing::Refuse {
                    return Err(ImportError::Exists { session });
                }
                let mut reading = Reading {
                    store,
                    skip,
                    key: key.filter(|_| !skip),
                    from: Tail::after(session.clone(), Position(after)),
                    to: Tail::start(session.clone()),
                };
                if let Err(error) = reading.read(&mut file, &mut counts).await {
                    if !skip {
                        store.delete(&session).await?;
                    }
                    return Err(error);
                }
                counts.sessions += u64::from(!skip);
                counts.skipped += u64::from(skip);
            }
            Frame::End { hash: stated } if stated == hash => return Ok(counts),
            Frame::End { .. } => return Err(file.damaged("its hash does not fit")),
            _ => return Err(file.damaged("a part of a session stands outside one")),
        }
    }
}

/// A session on its way into the store.
struct Reading<'a> {
    store: &'a dyn Store,
    skip: bool,
    /// What its snapshots are signed with.
    key: Option<&'a SnapshotKey>,
    /// Where it stands in the journal that was exported, and in its own.
    from: Tail,
    to: Tail,
}

impl Reading<'_> {
    async fn read(&mut self, file: &mut File<'_>, counts: &mut Counts) -> Result<(), ImportError> {
        let session = self.from.session().clone();
        loop {
            match file.frame()? {
                Frame::Blob(bytes) => {
                    if !self.skip {
                        counts.blobs += 1;
                        self.store.put_blob(&session, Blob::new(Vec::from(bytes))).await?;
                    }
                }
                Frame::KnownBlob(hash) if !self.skip => match self.store.get_blob(hash).await? {
                    Some(blob) => self.store.put_blob(&session, blob).await?,
                    None => return Err(file.damaged(format!("blob {hash} did not come before it"))),
                },
                Frame::KnownBlob(_) => {}
                Frame::Entries(entries) => {
                    let expected = self.to.position();
                    let mut sealed = Vec::with_capacity(entries.len());
                    for bytes in entries {
                        sealed.extend(self.entry(&bytes).await?);
                    }
                    if !self.skip {
                        counts.entries += sealed.len() as u64;
                        self.store.append(&session, expected, sealed).await?;
                    }
                }
                Frame::SessionEnd { last } if Position(last) == self.from.position() => return Ok(()),
                Frame::SessionEnd { .. } => return Err(file.damaged("entries of a session are missing")),
                Frame::Session { .. } | Frame::End { .. } => {
                    return Err(file.damaged("a session has no end"));
                }
            }
        }
    }
}

impl Reading<'_> {
    /// Makes an entry of one: of the same bytes, unless the journal begins elsewhere, or snapshots are signed.
    async fn entry(&mut self, bytes: &[u8]) -> Result<Option<Bytes>, ImportError> {
        let Some(key) = self.key else { return Ok(Some(self.from.hand_over(bytes, &mut self.to)?)) };
        let mut records = self.from.read(self.from.position().next(), bytes)?;
        for record in &mut records {
            match record {
                Record::SnapshotTaken { blob, signature, .. }
                | Record::VariablesLeft { blob, signature, .. } => *signature = Some(key.sign(*blob)),
                Record::Folded { blob, blobs, .. } => {
                    let mut fold = Fold::read(self.store, *blob).await?;
                    fold.sign(key);
                    (*blob, *blobs) = self.keep(fold).await?;
                }
                _ => {}
            }
        }
        // A tail that began at the start can always be written on.
        Ok(self.to.seal(&records))
    }

    /// Keeps a fold. Returns its blob, and those that it names.
    async fn keep(&self, mut fold: Fold) -> Result<(BlobHash, Vec<BlobHash>), ImportError> {
        let put = async |bytes: Vec<u8>| {
            let blob = Blob::new(bytes);
            let hash = blob.hash();
            self.store.put_blob(self.to.session(), blob).await.map(|()| hash)
        };
        let (mut blobs, mut parts) = (fold.blobs(), Vec::new());
        for part in fold::parts(&fold.to_bytes(), fold::PART_BYTES) {
            parts.push(put(part.to_vec()).await?);
        }
        let blob = match *parts.as_slice() {
            [whole] => whole,
            _ => put(fold::list(&parts)).await?,
        };
        blobs.extend(parts.into_iter().filter(|part| *part != blob));
        Ok((blob, blobs))
    }
}

struct File<'a> {
    input: &'a mut (dyn Read + Send),
    hasher: blake3::Hasher,
    offset: u64,
}

impl File<'_> {
    fn damaged(&self, what: impl Into<String>) -> ImportError {
        ImportError::Damaged { offset: self.offset, what: what.into() }
    }

    /// Reads so many bytes, making room for those that come.
    fn take(&mut self, length: u64) -> Result<Vec<u8>, ImportError> {
        let mut bytes = Vec::new();
        (&mut *self.input).take(length).read_to_end(&mut bytes).map_err(ImportError::Read)?;
        self.offset += bytes.len() as u64;
        if (bytes.len() as u64) < length {
            return Err(ImportError::Short { offset: self.offset });
        }
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn frame(&mut self) -> Result<Frame, ImportError> {
        let length = self.take(4)?;
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
        let bytes = self.take(length)?;
        let mut decoder = minicbor::Decoder::new(&bytes);
        decoder.decode().map_err(|error: DecodeError| self.damaged(error.to_string()))
    }
}
