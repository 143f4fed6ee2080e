//! A VM at rest as bytes: what differs from the image, page by page.
//!
//! The format, version 2, all numbers little-endian: the magic `CRLVM\0`, the version as u16, the image's id (32
//! bytes), 1 when the VM was between two cells and else 0 (u8), the memory's size in bytes as u32, the CPU time used in nanoseconds as u64, the number of pages as u32; one
//! LZ4 block, of each page's index (u32) and then of each page's 4,096 bytes, exclusive or with the image's; and the
//! BLAKE3 hash of all of that (32 bytes). Most bytes of a changed page are as they were in the image, so most of the
//! block is zero before it is compressed.

use std::iter;
use std::time::Duration;

use crate::{ImageId, InvalidSnapshot};

/// The unit in which changes are found. Small beside wasm's 64 KiB, and what the operating system copies.
const PAGE_BYTES: usize = 4096;
/// The unit in which a memory grows.
pub(crate) const WASM_PAGE_BYTES: usize = 64 * 1024;
const MAGIC: &[u8; 6] = b"CRLVM\0";
const VERSION: u16 = 2;
const HASH_BYTES: usize = 32;
/// The most bytes that one byte of an LZ4 block can stand for.
const LZ4_MOST: usize = 255;

/// A VM at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    image: ImageId,
    is_vacant: bool,
    memory_bytes: usize,
    cpu_time: Duration,
    /// Which pages differ, ascending.
    indices: Vec<u32>,
    /// What they differ by, one after the other: each byte's exclusive or with the image's.
    deltas: Vec<u8>,
}

pub(crate) fn take(
    image: ImageId,
    is_vacant: bool,
    base: &[u8],
    memory: &[u8],
    cpu_time: Duration,
) -> Snapshot {
    let (mut indices, mut deltas) = (Vec::new(), Vec::new());
    let zero = [0; PAGE_BYTES];
    let bases = base.chunks_exact(PAGE_BYTES).chain(iter::repeat(zero.as_slice()));
    for ((index, page), base) in (0u32..).zip(memory.chunks_exact(PAGE_BYTES)).zip(bases) {
        if page != base {
            indices.push(index);
            deltas.extend(page.iter().zip(base).map(|(now, before)| now ^ before));
        }
    }
    Snapshot { image, is_vacant, memory_bytes: memory.len(), cpu_time, indices, deltas }
}

impl Snapshot {
    /// Returns the image it was taken of.
    #[must_use]
    pub fn image(&self) -> ImageId {
        self.image
    }

    /// Tells whether the VM was between two cells: one that is restored takes [`Vm::begin`](crate::Vm::begin).
    #[must_use]
    pub fn is_vacant(&self) -> bool {
        self.is_vacant
    }

    /// Returns the size of the VM's memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Returns the CPU time that the VM had used.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        self.cpu_time
    }

    /// Tells whether a VM of `image` can go on from here within `limit_bytes` of memory.
    pub(crate) fn check(&self, image: ImageId, limit_bytes: usize) -> Result<(), InvalidSnapshot> {
        if self.image != image {
            return Err(InvalidSnapshot::OtherImage { found: self.image, expected: image });
        }
        if self.memory_bytes > limit_bytes {
            return Err(InvalidSnapshot::TooLarge { found_bytes: self.memory_bytes, limit_bytes });
        }
        Ok(())
    }

    /// Returns how many pages of 4 KiB differ from the image.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.indices.len()
    }

    /// Makes the memory of a VM that was just made, grown to the size of this one's, into this one's.
    pub(crate) fn apply(&self, memory: &mut [u8]) {
        for (index, delta) in self.indices.iter().zip(self.deltas.chunks_exact(PAGE_BYTES)) {
            let page = memory.get_mut(*index as usize * PAGE_BYTES..).unwrap_or_default();
            page.iter_mut().zip(delta).for_each(|(byte, delta)| *byte ^= delta);
        }
    }

    /// Writes it down, compressed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut pages: Vec<u8> = self.indices.iter().flat_map(|index| index.to_le_bytes()).collect();
        pages.extend_from_slice(&self.deltas);
        let compressed = lz4_flex::block::compress(&pages);
        let mut bytes = Vec::with_capacity(128 + compressed.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.image.0);
        bytes.push(u8::from(self.is_vacant));
        // A 32-bit memory has fewer bytes than u32 counts, and fewer pages.
        bytes.extend_from_slice(&u32::try_from(self.memory_bytes).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&u64::try_from(self.cpu_time.as_nanos()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.indices.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&compressed);
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. Takes no more memory than such bytes can stand for.
    ///
    /// # Errors
    /// [`InvalidSnapshot`] when a byte differs or is missing, or it is of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSnapshot> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(InvalidSnapshot::Format)?;
        let found = u16::from_le_bytes(take_bytes(&mut rest)?);
        if found != VERSION {
            return Err(InvalidSnapshot::Version { found, expected: VERSION });
        }
        let (content, hash) = bytes.split_last_chunk::<HASH_BYTES>().ok_or(InvalidSnapshot::Length)?;
        if blake3::hash(content).as_bytes() != hash {
            return Err(InvalidSnapshot::Checksum);
        }
        let mut rest = content.get(MAGIC.len() + size_of_val(&VERSION)..).ok_or(InvalidSnapshot::Length)?;
        let image = ImageId(take_bytes(&mut rest)?);
        let is_vacant = take_bytes::<1>(&mut rest)? != [0];
        let memory_bytes = u32::from_le_bytes(take_bytes(&mut rest)?) as usize;
        let cpu_time = Duration::from_nanos(u64::from_le_bytes(take_bytes(&mut rest)?));
        let count = u32::from_le_bytes(take_bytes(&mut rest)?) as usize;

        let length = count.saturating_mul(size_of::<u32>() + PAGE_BYTES);
        if !memory_bytes.is_multiple_of(WASM_PAGE_BYTES) || length > rest.len().saturating_mul(LZ4_MOST) {
            return Err(InvalidSnapshot::Length);
        }
        let mut pages = vec![0; length];
        match lz4_flex::block::decompress_into(rest, &mut pages) {
            Ok(written) if written == length => {}
            _ => return Err(InvalidSnapshot::Pages),
        }
        let deltas = pages.split_off(count * size_of::<u32>());
        let (numbers, _) = pages.as_chunks();
        let indices: Vec<_> = numbers.iter().map(|number| u32::from_le_bytes(*number)).collect();
        let ascending = indices.is_sorted_by(|one, next| one < next);
        if !ascending || indices.last().is_some_and(|last| *last as usize >= memory_bytes / PAGE_BYTES) {
            return Err(InvalidSnapshot::Pages);
        }
        Ok(Self { image, is_vacant, memory_bytes, cpu_time, indices, deltas })
    }
}

fn take_bytes<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], InvalidSnapshot> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(InvalidSnapshot::Length)?;
    *rest = after;
    Ok(*taken)
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} pages of {} bytes)", self.indices.len(), self.memory_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static BASE: [u8; 2 * WASM_PAGE_BYTES] = [1; 2 * WASM_PAGE_BYTES];

    fn memory() -> Vec<u8> {
        let mut memory = BASE.to_vec();
        memory.resize(3 * WASM_PAGE_BYTES, 0);
        memory[PAGE_BYTES] = 2;
        memory[3 * PAGE_BYTES..4 * PAGE_BYTES].fill(0);
        memory[40 * PAGE_BYTES] = 7;
        memory
    }

    fn sample() -> Snapshot {
        take(ImageId([7; 32]), false, &BASE, &memory(), Duration::from_micros(5))
    }

    #[test]
    fn holds_what_differs_from_the_image_or_from_zero() {
        assert_eq!(sample().indices, [1, 3, 40]);
        assert_eq!(sample().page_count(), 3);
    }

    #[test]
    fn makes_the_memory_that_it_was_taken_of() {
        let mut restored = BASE.to_vec();
        restored.resize(3 * WASM_PAGE_BYTES, 0);
        Snapshot::from_bytes(&sample().to_bytes()).unwrap().apply(&mut restored);
        assert!(restored == memory());
    }

    #[test]
    fn reads_what_it_wrote() {
        assert_eq!(Snapshot::from_bytes(&sample().to_bytes()), Ok(sample()));
        let nothing = take(ImageId([7; 32]), false, &BASE, &BASE, Duration::ZERO);
        assert_eq!(Snapshot::from_bytes(&nothing.to_bytes()), Ok(nothing));
    }

    #[test]
    fn refuses_every_cut_and_every_changed_byte() {
        let bytes = sample().to_bytes();
        for len in 0..bytes.len() {
            assert!(Snapshot::from_bytes(&bytes[..len]).is_err(), "cut to {len}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(Snapshot::from_bytes(&damaged).is_err(), "changed at {at}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(Snapshot::from_bytes(&longer), Err(InvalidSnapshot::Checksum));
    }

    #[test]
    fn says_what_else_it_was_given() {
        let mut other = sample().to_bytes();
        other[MAGIC.len()] = 1;
        assert_eq!(
            Snapshot::from_bytes(&other),
            Err(InvalidSnapshot::Version { found: 1, expected: VERSION })
        );
        assert_eq!(Snapshot::from_bytes(b"{\"json\": 1}"), Err(InvalidSnapshot::Format));
        assert_eq!(Snapshot::from_bytes(b""), Err(InvalidSnapshot::Format));
    }

    /// Bytes with `change` made to them and a checksum that fits.
    fn resealed(change: impl Fn(&mut Vec<u8>)) -> Result<Snapshot, InvalidSnapshot> {
        let mut bytes = sample().to_bytes();
        bytes.truncate(bytes.len() - HASH_BYTES);
        change(&mut bytes);
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        Snapshot::from_bytes(&bytes)
    }

    #[test]
    fn refuses_pages_that_make_no_memory_even_with_a_good_checksum() {
        let changed = |change: fn(&mut Snapshot)| {
            let mut snapshot = sample();
            change(&mut snapshot);
            Snapshot::from_bytes(&snapshot.to_bytes())
        };
        assert_eq!(changed(|s| s.indices[2] = 48), Err(InvalidSnapshot::Pages));
        assert_eq!(changed(|s| s.indices[1] = 1), Err(InvalidSnapshot::Pages));
        assert_eq!(changed(|s| s.memory_bytes += 1), Err(InvalidSnapshot::Length));
        assert_eq!(changed(|s| s.deltas.truncate(3 * PAGE_BYTES - 1)), Err(InvalidSnapshot::Pages));
        assert_eq!(changed(|s| s.deltas.push(0)), Err(InvalidSnapshot::Pages));
    }

    #[test]
    fn refuses_a_count_that_its_bytes_cannot_stand_for_before_taking_the_memory() {
        let count_at = MAGIC.len() + 2 + 32 + 1 + 4 + 8;
        let claims = |count: u32| {
            resealed(move |bytes| bytes[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes()))
        };
        assert_eq!(claims(3), Ok(sample()));
        assert_eq!(claims(u32::MAX), Err(InvalidSnapshot::Length));
        assert_eq!(claims(2), Err(InvalidSnapshot::Pages));
        assert_eq!(resealed(|bytes| bytes.truncate(count_at + 4)), Err(InvalidSnapshot::Length));
        assert_eq!(resealed(|bytes| bytes.truncate(20)), Err(InvalidSnapshot::Length));
    }
}
