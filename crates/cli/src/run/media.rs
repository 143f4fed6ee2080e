//! Saves images and audio as files, each under a name that was free.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::renderer::MediaKind;
use crate::units::show_bytes;

/// The most files that are saved of one cell: more than anybody looks at, and less than fills a disk.
const MAX_FILES: usize = 100;
/// The most bytes that are saved of one cell.
const MAX_BYTES: usize = 256 << 20;

/// The most files of one name that are tried.
const MAX_NUMBER: u32 = 1_000_000;

/// Why something was not saved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SaveError {
    /// What the cell emitted is not base64.
    #[error("save what the cell emitted as {mime_type}: it is not base64 ({error})")]
    NotBase64 {
        /// What it was called.
        mime_type: String,
        /// What is wrong with it.
        error: base64::DecodeError,
    },
    /// The file cannot be written.
    #[error("write {}: {error}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
}

/// A file that was written.
#[derive(Debug)]
pub(crate) struct Saved {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its length in bytes.
    pub(crate) size: usize,
}

/// Saves what one cell emits, up to a number of files and bytes.
#[derive(Debug)]
pub(crate) struct Saver<'a> {
    folder: &'a Path,
    files: usize,
    bytes: usize,
    left_out: u64,
}

impl<'a> Saver<'a> {
    /// Saves to `folder`, which is made when it is first needed.
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self { folder, files: 0, bytes: 0, left_out: 0 }
    }

    /// Saves one item; `None` when it is left out because the cell has emitted enough.
    pub(crate) fn save(
        &mut self,
        kind: MediaKind,
        data: &str,
        mime_type: &str,
    ) -> Result<Option<Saved>, SaveError> {
        // What base64 stands for is three quarters of it; a few bytes of padding do not matter here.
        let size = data.len() / 4 * 3;
        if self.files == MAX_FILES || self.bytes + size > MAX_BYTES {
            self.left_out += 1;
            return Ok(None);
        }
        let saved = save(self.folder, kind, data, mime_type)?;
        self.files += 1;
        self.bytes += saved.size;
        Ok(Some(saved))
    }

    /// Says what was left out, if anything was.
    pub(crate) fn left_out(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            let (items, were) =
                if self.left_out == 1 { ("image or sound", "was") } else { ("images or sounds", "were") };
            format!(
                "{} {items} {were} not saved: a run saves {MAX_FILES} files and {} at most",
                self.left_out,
                show_bytes(MAX_BYTES)
            )
        })
    }
}

/// Writes the bytes to `folder` as `carrel-image-N.png` or the like, with the first `N` that is free.
fn save(folder: &Path, kind: MediaKind, data: &str, mime_type: &str) -> Result<Saved, SaveError> {
    let bytes = STANDARD
        .decode(data)
        .map_err(|error| SaveError::NotBase64 { mime_type: mime_type.to_owned(), error })?;
    std::fs::create_dir_all(folder).map_err(|error| SaveError::Write { path: folder.to_owned(), error })?;
    let noun = match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
    };
    let extension = extension(mime_type);
    let mut number = 1;
    loop {
        let path = folder.join(format!("carrel-{noun}-{number}.{extension}"));
        // `create_new` decides and takes the name in one step: nothing that exists is ever overwritten.
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        match opened.and_then(|mut file| file.write_all(&bytes)) {
            Ok(()) => return Ok(Saved { path, size: bytes.len() }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MAX_NUMBER => number += 1,
            Err(error) => return Err(SaveError::Write { path, error }),
        }
    }
}

/// Returns the file name's ending for a media type; the type itself is the cell's text and never a part of a path.
fn extension(mime_type: &str) -> &'static str {
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "image/bmp" => "bmp",
        "image/avif" => "avif",
        "image/tiff" => "tiff",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/ogg" => "ogg",
        "audio/flac" => "flac",
        "audio/mp4" | "audio/aac" => "m4a",
        "audio/webm" => "webm",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_next_free_number() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("carrel-image-1.png"), "kept").unwrap();
        let saved = save(folder.path(), MediaKind::Image, "aGk=", "image/PNG; x=y").unwrap();
        assert_eq!(saved.path, folder.path().join("carrel-image-2.png"));
        assert_eq!(std::fs::read(&saved.path).unwrap(), b"hi");
        assert_eq!(std::fs::read(folder.path().join("carrel-image-1.png")).unwrap(), b"kept");
    }

    #[test]
    fn a_cell_fills_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut saver = Saver::new(folder.path());
        for _ in 0..MAX_FILES {
            assert!(saver.save(MediaKind::Image, "aGk=", "image/png").unwrap().is_some());
        }
        assert_eq!(saver.left_out(), None);
        for _ in 0..3 {
            assert!(saver.save(MediaKind::Audio, "aGk=", "audio/wav").unwrap().is_none());
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), MAX_FILES);
        let said = saver.left_out().unwrap();
        assert_eq!(said, "3 images or sounds were not saved: a run saves 100 files and 256 MiB at most");

        let mut saver = Saver { bytes: MAX_BYTES - 2, ..Saver::new(folder.path()) };
        assert!(saver.save(MediaKind::Image, "aGk=", "image/png").unwrap().is_none());
        assert!(saver.left_out().unwrap().starts_with("1 image or sound was not"));
    }

    #[test]
    fn a_media_type_is_no_path() {
        let folder = tempfile::tempdir().unwrap();
        let saved = save(folder.path(), MediaKind::Audio, "aGk=", "audio/../../etc").unwrap();
        assert_eq!(saved.path, folder.path().join("carrel-audio-1.bin"));
    }

    #[test]
    fn says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let error = save(folder.path(), MediaKind::Image, "%", "image/png").unwrap_err();
        assert!(error.to_string().contains("not base64"), "{error}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = save(&file, MediaKind::Image, "aGk=", "image/png").unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
