//! The checksum of an entry, chained to that of the entry before it.
//!
//! It is BLAKE3 over the session's id, the position, the checksum before and the entry's bytes, cut to 8 bytes. CRC-32C
//! would find every flipped bit, too, in 4 bytes; but two CRCs are equal by chance once in 4 billion, they say nothing of
//! bytes that somebody edited, and a chain of them is linear: changes in two entries can cancel out. BLAKE3 is a
//! dependency already and takes about 0.5 us for an entry of 256 bytes, beside some 15 us for keeping it. It has no
//! key: whoever may write to the store may also write a sound chain.

use std::fmt;

use carrel_contract::SessionId;

use crate::Position;

/// The checksum of a session's journal up to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chain([u8; Chain::BYTES]);

impl Chain {
    /// Its length.
    pub const BYTES: usize = 8;
    /// The checksum before the first entry.
    pub const START: Self = Self([0; Self::BYTES]);

    /// Returns the checksum up to and including an entry of `bytes` at `position`, after `self`.
    pub(crate) fn link(self, session: &SessionId, position: Position, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        // Ids hold no zero byte, so this ends one without doubt.
        hasher.update(session.as_str().as_bytes()).update(&[0]);
        hasher.update(&position.0.to_le_bytes()).update(&self.0).update(bytes);
        let mut chain = [0; Self::BYTES];
        hasher.finalize_xof().fill(&mut chain);
        Self(chain)
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({:016x})", u64::from_be_bytes(self.0))
    }
}
