//! A fold as it is kept: in one blob, or, when it is large, in some, and one that lists them.

use carrel_contract::CodeModeFuture;

use super::{Fold, InvalidFold};
use crate::error::StoreError;
use crate::{BlobHash, MAX_BLOB_BYTES, Store};

/// The first byte of a list, which is no version of a fold's.
const LIST: u8 = 0x80;
const HASH_BYTES: usize = 32;

/// What a part has, where nobody says otherwise.
pub const PART_BYTES: usize = 64 * 1024 * 1024;

/// A fold cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFoldError {
    /// A blob is not there.
    #[error("the fold's blob {hash} is not there")]
    NoBlob {
        /// The blob.
        hash: BlobHash,
    },
    /// What is there is no fold.
    #[error(transparent)]
    Invalid(#[from] InvalidFold),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the parts that the bytes of a fold are kept in, of so many bytes each, and at least one.
pub fn parts(bytes: &[u8], part_bytes: usize) -> impl Iterator<Item = &[u8]> {
    // The list of more parts than that could not be kept.
    let least = bytes.len().div_ceil(MAX_BLOB_BYTES / (2 * HASH_BYTES));
    bytes.chunks(part_bytes.clamp(least.max(1), MAX_BLOB_BYTES))
}

/// Returns what names the parts of a fold: the blob of the fold itself.
#[must_use]
pub fn list(parts: &[BlobHash]) -> Vec<u8> {
    let hashes = parts.iter().flat_map(|hash| hash.0);
    std::iter::once(LIST).chain(hashes).collect()
}

impl Fold {
    /// Reads one from a store, whatever it is kept in.
    ///
    /// # Errors
    /// [`ReadFoldError`].
    pub fn read(store: &dyn Store, hash: BlobHash) -> CodeModeFuture<'_, Self, ReadFoldError> {
        let blob = async move |hash| store.get_blob(hash).await?.ok_or(ReadFoldError::NoBlob { hash });
        Box::pin(async move {
            let kept = blob(hash).await?;
            let Some((&LIST, listed)) = kept.bytes().split_first() else {
                return Ok(Self::from_bytes(kept.bytes())?);
            };
            let (hashes, rest) = listed.as_chunks::<HASH_BYTES>();
            if !rest.is_empty() {
                let what = "the list of its parts is cut short".to_owned();
                return Err(InvalidFold::Damaged { what }.into());
            }
            let mut bytes = Vec::new();
            for part in hashes {
                bytes.extend_from_slice(blob(BlobHash(*part)).await?.bytes());
            }
            Ok(Self::from_bytes(&bytes)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use carrel_contract::SessionId;
    use futures::executor::block_on;

    use super::*;
    use crate::{Blob, Memory};

    #[test]
    fn a_fold_in_parts_is_the_same_and_one_that_lacks_a_part_names_it() {
        let (store, session) = (Memory::new(), SessionId::new("s").unwrap());
        let keep = |bytes: Vec<u8>| {
            let blob = Blob::new(bytes);
            block_on(store.put_blob(&session, blob.clone())).unwrap();
            blob.hash()
        };
        let fold = Fold { now_us: 7, spec: "x".repeat(1000).as_str().into(), ..Fold::default() };
        let bytes = fold.to_bytes();
        assert_eq!(parts(&bytes, MAX_BLOB_BYTES).count(), 1);
        let mut hashes: Vec<_> = parts(&bytes, 64).map(|part| keep(part.to_vec())).collect();
        assert!(hashes.len() > 10);
        assert_eq!(block_on(Fold::read(&store, keep(list(&hashes)))).unwrap(), fold);
        assert_eq!(block_on(Fold::read(&store, keep(bytes))).unwrap(), fold);

        let gone = BlobHash::of(b"nothing");
        hashes.push(gone);
        let read = block_on(Fold::read(&store, keep(list(&hashes))));
        assert!(matches!(read, Err(ReadFoldError::NoBlob { hash }) if hash == gone), "{read:?}");
        let mut short = list(&hashes);
        short.pop();
        let read = block_on(Fold::read(&store, keep(short)));
        assert!(matches!(read, Err(ReadFoldError::Invalid(InvalidFold::Damaged { .. }))), "{read:?}");
    }
}
