//! What can go wrong with a journal: an enum for each operation, and [`StoreError`] for what can go wrong with all.

use std::path::PathBuf;

use carrel_contract::SessionId;

use crate::{BlobHash, Owner, Position};

/// An entry that cannot be read. The session that it is of cannot be opened; others can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the journal of session {session}: entry {position} {kind}")]
pub struct Damaged {
    /// The session.
    pub session: SessionId,
    /// The place.
    pub position: Position,
    /// What is wrong there.
    pub kind: DamageKind,
}

impl Damaged {
    pub(crate) fn new(session: &SessionId, position: Position, kind: DamageKind) -> Self {
        Self { session: session.clone(), position, kind }
    }

    /// Tells whether a newer build may be able to read it: it is sound as far as this one can tell.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        matches!(self.kind, DamageKind::Version { .. } | DamageKind::NewerRecord { .. })
    }
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// It is shorter than the frame of an entry.
    #[error("is cut short")]
    Short,
    /// Its frame is of a version that this build does not read.
    #[error(
        "has a frame of version {found}, this build reads versions up to {newest}: it was written by a newer version, or is damaged"
    )]
    Version {
        /// The version of the frame.
        found: u8,
        /// The newest version of this build.
        newest: u8,
    },
    /// Its bytes are not those that were written at this place.
    #[error("is damaged: its checksum does not fit")]
    Checksum,
    /// It is sound and does not follow on the one before it.
    #[error("does not follow on the entry before it: entries were exchanged, repeated or lost")]
    Chain,
    /// An entry is not there.
    #[error("follows where entry {expected} is expected: entries were lost or repeated")]
    Missing {
        /// The place that should have come.
        expected: Position,
    },
    /// It holds a record that this build does not know.
    #[error("holds {what}, which this build does not know: it was written by a newer version")]
    NewerRecord {
        /// What is not known.
        what: String,
    },
    /// It is as it was written, and yet a record of it cannot be decoded.
    #[error("holds a record that cannot be decoded, at byte {offset} of its records: {what}")]
    Record {
        /// Where in the records.
        offset: usize,
        /// What the decoder says.
        what: String,
    },
}

/// A store could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An earlier write failed, and nothing more is written until the store is opened again.
    #[error("write to the store: an earlier write failed, and the store has to be opened again: {cause}")]
    Poisoned {
        /// What failed.
        cause: Box<StoreError>,
    },
    /// The disk is full.
    #[error("write to the store: the disk is full")]
    Full,
    /// The store cannot be written to.
    #[error("write to the store: it is read-only")]
    ReadOnly,
    /// Another process has held the store's lock for too long. Nothing has happened.
    #[error("use the store: another process has locked it for longer than {waited_ms} ms")]
    Busy {
        /// How long this one waited.
        waited_ms: u64,
    },
    /// The operating system refused to open it.
    #[error("open the store {}: {detail}", path.display())]
    CannotOpen {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The file is something else.
    #[error("open the store {}: it is not a Carrel store", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file was made by a newer version of Carrel.
    #[error("open the store {}: its schema is version {found}, this build reads versions up to {newest}; use a newer version of Carrel", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: u32,
        /// The newest version of this build.
        newest: u32,
    },
    /// The store's own structure is damaged. `carrel store check` says more.
    #[error("use the store: it is damaged: {detail}")]
    Damaged {
        /// What the store says.
        detail: String,
    },
    /// A blob's bytes are not those that were kept.
    #[error("read blob {hash}: it is damaged: its bytes do not fit its hash")]
    DamagedBlob {
        /// The blob.
        hash: BlobHash,
    },
    /// A read or a write failed.
    #[error("use the store: {detail}")]
    Io {
        /// What the system says.
        detail: String,
        /// Whether what was asked for may have happened nevertheless.
        unknown: bool,
    },
    /// It was closed.
    #[error("use the store: it was closed")]
    Closed,
}

impl StoreError {
    /// Tells whether what was asked for may have happened nevertheless.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Io { unknown: true, .. } | Self::Closed)
    }

    /// Tells whether the same request may succeed later, with the store as it is.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

/// Entries were not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The journal's last entry is another.
    #[error(
        "append to the journal: its last entry is {actual}, not {expected}: the session has another owner"
    )]
    Conflict {
        /// The last entry that the appender knew.
        expected: Position,
        /// The last entry; [`Position::START`] when the session is not there.
        actual: Position,
    },
    /// The entries are over a bound.
    #[error(
        "append to the journal: {what} of {bytes} bytes is over the limit of {limit_bytes}; large values go into blobs"
    )]
    TooLarge {
        /// An entry, or all of them.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The most it may have.
        limit_bytes: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A journal was not cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompactError {
    /// The journal's last entry is another.
    #[error("compact the journal: its last entry is {actual}, not {expected}: the session has another owner")]
    Conflict {
        /// The last entry that was known.
        expected: Position,
        /// The last entry; [`Position::START`] when the session is not there.
        actual: Position,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A blob was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutBlobError {
    /// It is too large.
    #[error("keep a blob: its {bytes} bytes are over the limit of {limit_bytes}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The most it may have.
        limit_bytes: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A lease was not had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// Another has it.
    #[error("take the session: {owner} has it until {until_us} us after 1970")]
    OwnedElsewhere {
        /// Who.
        owner: Owner,
        /// Until when, in microseconds since 1970.
        until_us: i64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A lease was not renewed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// It is no longer there.
    #[error("keep the session: the lease of epoch {epoch} was taken or released")]
    Lost {
        /// The epoch of the lost lease.
        epoch: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A name that no owner can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no name of an owner: that is 1 to 128 bytes of printable ASCII")]
pub struct InvalidOwner {
    /// The name, cut to 160 characters.
    pub name: String,
}
