//! Saves images and audio as files, each under a name that was free.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::renderer::MediaKind;

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

/// Writes the bytes to `folder` as `carrel-image-N.png` or the like, with the first `N` that is free.
pub(crate) fn save(folder: &Path, kind: MediaKind, data: &str, mime_type: &str) -> Result<Saved, SaveError> {
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
