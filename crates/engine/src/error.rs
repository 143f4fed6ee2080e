//! What can go wrong with the engine itself. What a cell does wrong is an [`Ending`](crate::Ending).

use crate::ImageId;

/// The engine could not be made, or could not make a VM.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {detail}")]
pub struct EngineError {
    step: &'static str,
    detail: String,
    pool_is_full: bool,
}

impl EngineError {
    pub(crate) fn new(step: &'static str) -> impl FnOnce(wasmtime::Error) -> Self {
        move |error| Self {
            step,
            detail: format!("{error:#}"),
            pool_is_full: error.is::<wasmtime::PoolConcurrencyLimitError>(),
        }
    }

    /// Tells whether there was no place left for a VM: one that ends makes room.
    #[must_use]
    pub fn is_pool_full(&self) -> bool {
        self.pool_is_full
    }
}

/// A VM could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It does not wait for an event.
    #[error("save the VM: it is {0}; only one that waits for an event can be saved")]
    NotIdle(&'static str),
    /// What it differs from could not be had: the first snapshot of an engine needs a place in its pool.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A VM takes no further cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// Its cell has not ended.
    #[error("begin a cell: the cell before it has not ended")]
    Busy,
    /// It was started for one cell, or its last cell did not leave it whole.
    #[error("begin a cell: the VM has ended with its last cell; restore a snapshot from before that")]
    Gone,
}

/// A VM could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The snapshot does not fit this engine.
    #[error(transparent)]
    Invalid(#[from] InvalidSnapshot),
    /// The snapshot is of the middle of a cell, or the VM has had a cell already.
    #[error("remember the snapshot: it takes one from between two cells, and a VM that has had none")]
    NotVacant,
    /// No VM could be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A VM could not be forked.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// It could not be saved.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// No other could be made of it.
    #[error(transparent)]
    Restore(#[from] RestoreError),
}

/// A snapshot that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSnapshot {
    /// It is shorter than it says, or longer.
    #[error("read the snapshot: it is cut short or has something after its end")]
    Length,
    /// It is not a snapshot.
    #[error("read the snapshot: it does not begin as one does")]
    Format,
    /// It is of a version that this build does not read.
    #[error("read the snapshot: its format is version {found}, this build reads version {expected}")]
    Version {
        /// The version of the snapshot.
        found: u16,
        /// The version of this build.
        expected: u16,
    },
    /// Its checksum does not fit its content.
    #[error("read the snapshot: it is damaged")]
    Checksum,
    /// It holds a page outside its memory, pages out of order, or not as many as it says.
    #[error("read the snapshot: its pages make no memory")]
    Pages,
    /// It was taken of another image.
    #[error("use the snapshot: it is of image {found}, this engine has {expected}")]
    OtherImage {
        /// The image of the snapshot.
        found: ImageId,
        /// The image of this engine.
        expected: ImageId,
    },
    /// Its memory is larger than the VM may have.
    #[error("use the snapshot: its memory of {found_bytes} bytes is over the limit of {limit_bytes}")]
    TooLarge {
        /// The memory of the snapshot.
        found_bytes: usize,
        /// The limit of the VM.
        limit_bytes: usize,
    },
}
