//! A VM at rest as bytes: what differs from the image, page by page.
//!
//! The format, version 1, all numbers little-endian: the magic `CRLVM\0`, the version as u16, the image's
//! id (32 bytes), the memory's size in bytes as u32, the number of pages as u32, each page as its index (u32)
//! and its 4,096 bytes, and the BLAKE3 hash of all of that (32 bytes).

use crate::{ImageId, InvalidSnapshot};

/// The unit in which changes are found. Small beside wasm's 64 KiB, and what the operating system copies.
const PAGE_BYTES: usize = 4096;
const MAGIC: &[u8; 8] = b"CRLVM\0\x01\0";
const HASH_BYTES: usize = 32;

/// A VM at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    image: ImageId,
    memory_bytes: usize,
    /// Ascending by index; each `PAGE_BYTES` long.
    pages: Vec<(u32, Box<[u8]>)>,
}

pub(crate) fn take(image: ImageId, base: &[u8], memory: &[u8]) -> Snapshot {
    let zero = [0; PAGE_BYTES];
    let pages = (0u32..)
        .zip(memory.chunks_exact(PAGE_BYTES))
        .filter(|(index, page)| {
            let at = *index as usize * PAGE_BYTES;
            *page != base.get(at..at + PAGE_BYTES).unwrap_or(&zero)
        })
        .map(|(index, page)| (index, page.into()))
        .collect();
    Snapshot { image, memory_bytes: memory.len(), pages }
}

impl Snapshot {
    /// Returns the image it was taken of.
    #[must_use]
    pub fn image(&self) -> ImageId {
        self.image
    }

    /// Returns the size of the VM's memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Returns how many pages of 4 KiB differ from the image.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// Returns the changed pages by their offset in memory.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.pages.iter().map(|(index, page)| (*index as usize * PAGE_BYTES, &**page))
    }

    /// Writes it down.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128 + self.pages.len() * (PAGE_BYTES + 4));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.image.0);
        for number in [self.memory_bytes, self.pages.len()] {
            // A 32-bit memory has fewer bytes than u32 counts, and fewer pages.
            bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        for (index, page) in &self.pages {
            bytes.extend_from_slice(&index.to_le_bytes());
            bytes.extend_from_slice(page);
        }
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`InvalidSnapshot`] when a byte differs or is missing.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSnapshot> {
        let (content, hash) = bytes.split_last_chunk::<HASH_BYTES>().ok_or(InvalidSnapshot::Length)?;
        let mut rest = content.strip_prefix(MAGIC).ok_or(InvalidSnapshot::Format)?;
        if blake3::hash(content).as_bytes() != hash {
            return Err(InvalidSnapshot::Checksum);
        }
        let image = ImageId(take_bytes(&mut rest)?);
        let memory_bytes = take_u32(&mut rest)? as usize;
        let count = take_u32(&mut rest)? as usize;
        if rest.len() != count.saturating_mul(PAGE_BYTES + 4) || !memory_bytes.is_multiple_of(PAGE_BYTES) {
            return Err(InvalidSnapshot::Length);
        }
        let mut pages: Vec<(u32, Box<[u8]>)> = Vec::with_capacity(count);
        for _ in 0..count {
            let index = take_u32(&mut rest)?;
            let page: [u8; PAGE_BYTES] = take_bytes(&mut rest)?;
            let ascending = pages.last().is_none_or(|(last, _)| *last < index);
            if !ascending || index as usize >= memory_bytes / PAGE_BYTES {
                return Err(InvalidSnapshot::Pages);
            }
            pages.push((index, page.into()));
        }
        Ok(Self { image, memory_bytes, pages })
    }
}

fn take_bytes<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], InvalidSnapshot> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(InvalidSnapshot::Length)?;
    *rest = after;
    Ok(*taken)
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, InvalidSnapshot> {
    take_bytes(rest).map(u32::from_le_bytes)
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} pages of {} bytes)", self.pages.len(), self.memory_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        let base = vec![1; 3 * PAGE_BYTES];
        let mut memory = vec![1; 5 * PAGE_BYTES];
        memory[PAGE_BYTES] = 2;
        memory[3 * PAGE_BYTES..4 * PAGE_BYTES].fill(0);
        take(ImageId([7; 32]), &base, &memory)
    }

    #[test]
    fn holds_what_differs_from_the_image_or_from_zero() {
        let indices: Vec<_> = sample().pages.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [1, 4]);
    }

    #[test]
    fn reads_what_it_wrote() {
        assert_eq!(Snapshot::from_bytes(&sample().to_bytes()), Ok(sample()));
    }

    #[test]
    fn refuses_every_cut_and_every_changed_byte() {
        let bytes = sample().to_bytes();
        for len in (0..bytes.len()).step_by(97) {
            assert!(Snapshot::from_bytes(&bytes[..len]).is_err(), "cut to {len}");
        }
        for at in (0..bytes.len()).step_by(61) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(Snapshot::from_bytes(&damaged).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn refuses_pages_that_make_no_memory_even_with_a_good_checksum() {
        let resealed = |change: fn(&mut Snapshot)| {
            let mut snapshot = sample();
            change(&mut snapshot);
            Snapshot::from_bytes(&snapshot.to_bytes())
        };
        assert_eq!(resealed(|s| s.pages[1].0 = 5), Err(InvalidSnapshot::Pages));
        assert_eq!(resealed(|s| s.pages[1].0 = 1), Err(InvalidSnapshot::Pages));
        assert_eq!(resealed(|s| s.memory_bytes += 1), Err(InvalidSnapshot::Length));
    }
}
