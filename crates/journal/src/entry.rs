//! The frame of an entry, version 1.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version, 1 |
//! | 8 | the [`Chain`] of the entry before; zeros before the first |
//! | … | records, one after the other, each as CBOR, which tells where it ends ([`record`]) |
//! | 8 | the chain up to and including this entry, over all bytes before |
//!
//! The checksum of the entry before is written down again so that a journal whose beginning was cut away can still be
//! checked from its first byte, without the store having to know checksums. What reads an entry checks it before it
//! decodes anything of it.

use bytes::Bytes;
use carrel_contract::SessionId;

use crate::error::{DamageKind, Damaged};
use crate::{Chain, Position, Record, record};

/// The version that this build writes.
pub const VERSION: u8 = 1;
/// What a frame takes beside its records.
pub const FRAME_BYTES: usize = 1 + 2 * Chain::BYTES;

/// An entry whose checksum was found right.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    session: &'a SessionId,
    position: Position,
    records: &'a [u8],
    /// The chain of the entry before.
    pub before: Chain,
    /// The chain up to and including this entry.
    pub chain: Chain,
}

/// Puts records into the frame of the entry at `position`, and returns it with its chain.
#[must_use]
pub fn seal(session: &SessionId, position: Position, before: Chain, records: &[Record]) -> (Bytes, Chain) {
    seal_with(session, position, before, 64 * records.len(), |bytes| {
        records.iter().for_each(|record| record::encode(record, bytes));
    })
}

/// Does the same with bytes that somebody else encoded: those of another version, or those of a test.
#[must_use]
pub fn seal_encoded(
    session: &SessionId,
    position: Position,
    before: Chain,
    records: &[u8],
) -> (Bytes, Chain) {
    seal_with(session, position, before, records.len(), |bytes| bytes.extend_from_slice(records))
}

fn seal_with(
    session: &SessionId,
    position: Position,
    before: Chain,
    expected_bytes: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> (Bytes, Chain) {
    let mut bytes = Vec::with_capacity(FRAME_BYTES + expected_bytes);
    bytes.push(VERSION);
    bytes.extend_from_slice(before.as_bytes());
    write(&mut bytes);
    let chain = before.link(session, position, &bytes);
    bytes.extend_from_slice(chain.as_bytes());
    (bytes.into(), chain)
}

/// Checks an entry that was read at `position`, and that it follows on `before`, unless that is not known.
///
/// # Errors
/// [`Damaged`] when the bytes are not those that were written there, or are of a newer version.
pub fn check<'a>(
    session: &'a SessionId,
    position: Position,
    before: Option<Chain>,
    bytes: &'a [u8],
) -> Result<Checked<'a>, Damaged> {
    let damaged = |kind| Damaged::new(session, position, kind);
    let version = *bytes.first().ok_or_else(|| damaged(DamageKind::Short))?;
    if version != VERSION {
        // A flipped bit in this byte and a newer version look alike; the checksum of a version to come cannot be known.
        return Err(damaged(DamageKind::Version { found: version, newest: VERSION }));
    }
    let short = || damaged(DamageKind::Short);
    let (sealed, chain) = bytes.split_last_chunk().ok_or_else(short)?;
    let (stated, records) = sealed.get(1..).and_then(|rest| rest.split_first_chunk()).ok_or_else(short)?;
    let (stated, chain) = (Chain::from_bytes(*stated), Chain::from_bytes(*chain));
    if stated.link(session, position, sealed) != chain {
        return Err(damaged(DamageKind::Checksum));
    }
    if before.is_some_and(|before| before != stated) || (position == Position(1) && stated != Chain::START) {
        return Err(damaged(DamageKind::Chain));
    }
    Ok(Checked { session, position, records, before: stated, chain })
}

impl Checked<'_> {
    /// Returns its records as they are written.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        self.records
    }

    /// Reads its records, each with its bytes.
    pub(crate) fn each(&self) -> impl Iterator<Item = Result<(Record, &[u8]), Damaged>> {
        record::decode_each(self.records)
            .map(|read| read.map_err(|kind| Damaged::new(self.session, self.position, kind)))
    }

    /// Reads its records.
    ///
    /// # Errors
    /// [`Damaged`] when one is of a kind that this build does not know, or is none.
    pub fn records(&self) -> Result<Vec<Record>, Damaged> {
        record::decode_all(self.records).map_err(|kind| Damaged::new(self.session, self.position, kind))
    }
}
