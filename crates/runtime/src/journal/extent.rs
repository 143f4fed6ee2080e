//! How long a journal is, what of it a fold stands for, and what of it can be cut off.

use std::collections::{HashSet, VecDeque};

use carrel_journal::record::Value;
use carrel_journal::{BlobHash, Cut, Position, Record};

use super::upkeep::Folding;

/// What of the journal is known: what was read of it, and what was written since.
#[derive(Debug, Default)]
pub(crate) struct Extent {
    /// Bytes of entries and of what they keep beside them.
    pub(super) bytes: u64,
    /// The same, when the newest fold was begun.
    pub(super) bytes_at_fold: u64,
    /// What the newest fold takes; after attempts that failed, what the last of them read.
    pub(super) fold_bytes: u64,
    /// It is being folded, and nobody else is to begin with that; how much may be written meanwhile.
    pub(super) is_folding: bool,
    pub(super) longest: u64,
    /// Folds that the journal could begin with, the oldest first.
    pub(super) folds: VecDeque<FoldMark>,
    /// The blobs that entries after the first of these name.
    pub(super) named: VecDeque<(Position, BlobHash)>,
    /// Blobs that no entry names yet.
    pub(super) unnamed: HashSet<BlobHash>,
    /// Where the journal is to begin.
    cut_after: Option<Position>,
}

/// A fold.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoldMark {
    /// The last entry that it stands for.
    pub(super) upto: Position,
    /// What had been written before it.
    pub(super) written: u64,
}

impl Extent {
    /// Takes note of an entry.
    pub(super) fn note(&mut self, position: Position, records: &mut [Record], bytes: usize) {
        self.bytes += bytes as u64;
        for record in records {
            for value in record.values_mut() {
                if let Value::Blob { bytes, .. } = value {
                    self.bytes += *bytes;
                }
            }
            for hash in record.blobs() {
                self.unnamed.remove(&hash);
                self.named.push_back((position, hash));
            }
        }
    }

    /// Has the journal begin after an entry that a fold goes up to.
    pub(super) fn cut_after(&mut self, upto: Position) {
        self.cut_after = Some(upto);
    }

    /// Tells whether something is to be cut off.
    pub(super) fn has_cut(&self) -> bool {
        self.cut_after.is_some()
    }

    /// Returns what is to be cut off now, if anything is.
    pub(super) fn cut(&mut self) -> Option<Cut> {
        let after = self.cut_after.take()?;
        self.folds.retain(|fold| fold.upto >= after);
        self.named.retain(|(position, _)| *position > after);
        let named = self.named.iter().map(|(_, hash)| *hash);
        let blobs: HashSet<_> = named.chain(self.unnamed.iter().copied()).collect();
        Some(Cut { before: after.next(), blobs: blobs.into_iter().collect() })
    }

    /// Tells whether it is time for a fold.
    pub(super) fn is_due(&self, folding: Folding) -> bool {
        self.bytes - self.bytes_at_fold >= folding.after_bytes.max(self.fold_bytes)
    }

    /// Notes that a fold is begun. Returns what was written before it.
    pub(super) fn begin_fold(&mut self) -> u64 {
        // Should it fail, the next attempt has time: as much as this one reads is to be written before.
        self.fold_bytes += self.bytes - self.bytes_at_fold;
        self.bytes_at_fold = self.bytes;
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_fail_become_rare() {
        let (folding, mut extent) = (Folding::default(), Extent::default());
        let mut attempts = Vec::new();
        for mebibytes in 1..=20 {
            extent.bytes = mebibytes * 1024 * 1024;
            if extent.is_due(folding) {
                extent.begin_fold();
                attempts.push(mebibytes);
            }
        }
        assert_eq!(attempts, [1, 2, 4, 8, 16]);
    }
}
