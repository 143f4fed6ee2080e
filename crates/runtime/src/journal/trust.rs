//! Which snapshots a VM may go on from: those of this build's image that this installation has signed.
//!
//! Any other is no better than none: a cell is given again what it was given, and variables are computed again.

use carrel_engine::Engine;
use carrel_journal::{BlobHash, Signature, SnapshotKey};

/// What a snapshot has to have.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The image of this build; `None` where no VM is made of what is read.
    image: Option<BlobHash>,
    /// Without one, whoever may write to the store is trusted.
    key: Option<SnapshotKey>,
}

impl Trust {
    /// Trusts snapshots of an engine's VMs.
    pub(crate) fn new(engine: &Engine, key: Option<SnapshotKey>) -> Self {
        Self { image: Some(BlobHash(*engine.image().as_bytes())), key }
    }

    /// Trusts none, and needs none.
    pub(crate) fn none() -> Self {
        Self { image: None, key: None }
    }

    #[cfg(test)]
    pub(crate) fn image(image: BlobHash) -> Self {
        Self { image: Some(image), key: None }
    }

    /// Tells whether no VM is made of what is read.
    pub(crate) fn is_none(&self) -> bool {
        self.image.is_none()
    }

    /// Tells whether a VM of this build has, or had, this image.
    pub(crate) fn is_image(&self, image: BlobHash) -> bool {
        self.image == Some(image)
    }

    /// Signs a snapshot, where there is a key.
    pub(crate) fn sign(&self, snapshot: BlobHash) -> Option<Signature> {
        self.key.as_ref().map(|key| key.sign(snapshot))
    }

    /// Says why a snapshot is not to be used, if so.
    ///
    /// # Errors
    /// In words that go on after "its snapshot".
    pub(crate) fn check(&self, snapshot: BlobHash, signature: Option<Signature>) -> Result<(), Untrusted> {
        match (&self.key, signature) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Untrusted::Unsigned),
            (Some(key), Some(signature)) if key.has_signed(snapshot, signature) => Ok(()),
            (Some(_), Some(_)) => Err(Untrusted::Foreign),
        }
    }

    /// Tells whether a cell may go on from a snapshot.
    pub(crate) fn admits(&self, image: BlobHash, snapshot: BlobHash, signature: Option<Signature>) -> bool {
        self.is_image(image) && self.check(snapshot, signature).is_ok()
    }
}

/// Why a snapshot is not to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untrusted {
    #[error("it is not signed")]
    Unsigned,
    #[error("it is not signed with the key of this installation")]
    Foreign,
}
