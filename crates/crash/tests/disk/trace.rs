//! What a process did to its disk, and what the disk can have after its power was lost at any point of that.

use std::fs;
use std::path::Path;

use crate::Random;

const FILES: [(u8, &str); 2] = [(b'd', "carrel.db"), (b'w', "carrel.db-wal")];
/// What a disk writes whole.
const SECTOR: usize = 512;

/// What was done, in its order.
pub(crate) enum Step {
    Write {
        file: u8,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: u8,
        length: usize,
    },
    Sync {
        file: u8,
    },
    /// The process said that this was acknowledged.
    Said(String),
}

/// Reads a trace, as `disk.c` writes it.
pub(crate) fn read(path: &Path) -> Vec<Step> {
    let trace = fs::read(path).unwrap();
    let (mut rest, mut steps) = (trace.as_slice(), Vec::new());
    while let Some((head, behind)) = rest.split_at_checked(20) {
        let number = |from: usize| {
            usize::try_from(u64::from_ne_bytes(head.get(from..from + 8).unwrap().try_into().unwrap()))
                .unwrap()
        };
        let (tag, file, offset, length) = (head[0], head[1], number(4), number(12));
        let (bytes, behind) = behind.split_at(length);
        rest = behind;
        steps.push(match tag {
            b'w' => Step::Write { file, offset, bytes: bytes.to_vec() },
            b't' => Step::Truncate { file, length: offset },
            b's' => Step::Sync { file },
            b'a' => Step::Said(String::from_utf8(bytes.to_vec()).unwrap()),
            other => panic!("a trace has no {other}"),
        });
    }
    steps
}

/// The files of a store as they are on a disk.
#[derive(Clone)]
pub(crate) struct Image([Vec<u8>; 2]);

impl Image {
    /// Reads them as they are now.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(FILES.map(|(_, name)| fs::read(folder.join(name)).unwrap_or_default()))
    }

    /// Puts them into a folder.
    pub(crate) fn put(&self, folder: &Path) {
        for ((_, name), bytes) in FILES.iter().zip(&self.0) {
            fs::write(folder.join(name), bytes).unwrap();
        }
    }

    fn file(&mut self, letter: u8) -> &mut Vec<u8> {
        let place = FILES.iter().position(|(file, _)| *file == letter).unwrap();
        &mut self.0[place]
    }

    fn apply(&mut self, step: &Step, part: std::ops::Range<usize>) {
        match step {
            Step::Write { file, offset, bytes } => {
                let file = self.file(*file);
                let end = offset + part.end;
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[offset + part.start..end].copy_from_slice(&bytes[part]);
            }
            Step::Truncate { file, length } => self.file(*file).resize(*length, 0),
            Step::Sync { .. } | Step::Said(_) => {}
        }
    }

    fn apply_whole(&mut self, step: &Step) {
        let length = if let Step::Write { bytes, .. } = step { bytes.len() } else { 0 };
        self.apply(step, 0..length);
    }
}

/// A disk and what it has in its memory.
pub(crate) struct Disk<'a> {
    kept: Image,
    /// What it may have written or not.
    pending: Vec<&'a Step>,
}

impl<'a> Disk<'a> {
    pub(crate) fn new(kept: Image) -> Self {
        Self { kept, pending: Vec::new() }
    }

    pub(crate) fn take(&mut self, step: &'a Step) {
        match step {
            Step::Sync { file: synced } => {
                let kept = &mut self.kept;
                self.pending.retain(|step| match step {
                    Step::Write { file, .. } | Step::Truncate { file, .. } if file == synced => {
                        kept.apply_whole(step);
                        false
                    }
                    _ => true,
                });
            }
            Step::Said(_) => {}
            _ => self.pending.push(step),
        }
    }

    /// Loses its power: of what was not synced, each write is there, or is not, or is in part.
    pub(crate) fn lose_power(&self, random: &mut Random) -> Image {
        let mut image = self.kept.clone();
        for step in &self.pending {
            match (random.below(4), step) {
                (0 | 1, _) => image.apply_whole(step),
                (2, Step::Write { bytes, .. }) => {
                    let cut = random.below(bytes.len() / SECTOR + 1) * SECTOR;
                    let part = if random.below(2) == 0 { 0..cut } else { cut..bytes.len() };
                    image.apply(step, part);
                }
                _ => {}
            }
        }
        image
    }
}
