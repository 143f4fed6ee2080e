//! Signatures of snapshots, by a key that one installation of Carrel has.
//!
//! A snapshot is the memory of a VM, and whoever makes a VM of it trusts every byte. Hashes say that it is what was
//! written, not who wrote it: somebody who may write to the store can compute them anew. So the record that names a
//! snapshot has a keyed BLAKE3 hash beside it, which nobody makes without the key.
//!
//! What is signed is the snapshot's own hash, which covers all of its bytes, and nothing of where it belongs: a fork shares
//! the snapshots of its origin, and the journal that says where they belong is itself signed by nobody.

mod file;

use std::fmt;

use minicbor::{Decode, Encode};

pub use file::KeyFileError;

use crate::BlobHash;

/// Keeps signatures of snapshots apart from whatever else a key may come to sign.
const DOMAIN: &[u8] = b"carrel snapshot 1\0";

/// Says that a snapshot was made by whoever has a key.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// The key that an installation signs its snapshots with.
#[derive(Clone, PartialEq, Eq)]
pub struct SnapshotKey([u8; SnapshotKey::BYTES]);

impl SnapshotKey {
    /// How many bytes a key has.
    pub const BYTES: usize = 32;

    /// Takes random bytes, which have to be kept secret, as a key.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Signs a snapshot.
    #[must_use]
    pub fn sign(&self, snapshot: BlobHash) -> Signature {
        Signature(self.mac(snapshot).into())
    }

    /// Tells whether a signature of a snapshot was made with this key. Takes as long, whatever the answer.
    #[must_use]
    pub fn has_signed(&self, snapshot: BlobHash, signature: Signature) -> bool {
        self.mac(snapshot) == blake3::Hash::from_bytes(signature.0)
    }

    fn mac(&self, snapshot: BlobHash) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.0);
        mac.update(DOMAIN).update(&snapshot.0);
        mac.finalize()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", BlobHash(self.0))
    }
}

impl fmt::Debug for SnapshotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SnapshotKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_snapshot_by_one_key() {
        let (key, snapshot) = (SnapshotKey::new([1; 32]), BlobHash::of(b"memory"));
        let signature = key.sign(snapshot);
        assert!(key.has_signed(snapshot, signature));
        assert!(!key.has_signed(BlobHash::of(b"memorz"), signature));
        assert!(!SnapshotKey::new([2; 32]).has_signed(snapshot, signature));
        for bit in 0..256 {
            let mut other = signature;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.has_signed(snapshot, other), "bit {bit}");
        }
    }

    #[test]
    fn what_is_signed_stays_what_it_is() {
        let signature = SnapshotKey::new([1; 32]).sign(BlobHash::of(b"memory"));
        let words = format!("{signature:?}");
        assert_eq!(words, "Signature(a6cc63e56fc1ab338d87aa68b4b577ce93050c5876e9032b6f2b6d7e85c9ae70)");
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", SnapshotKey::new([7; 32])), "SnapshotKey(…)");
    }
}
