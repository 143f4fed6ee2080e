//! The file that has an installation's key: made once, by whoever needs it first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::SnapshotKey;

/// The key cannot be had from its file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file can be neither read nor made.
    #[error("have the key of snapshots in {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is no key.
    #[error(
        "have the key of snapshots in {}: it has {found} bytes, and a key has {}",
        path.display(), SnapshotKey::BYTES
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        found: u64,
    },
    /// Others may read it.
    #[error(
        "have the key of snapshots in {}: others may read or change it (mode {mode:03o}); run `chmod 600` on it, or remove it to have another made",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl SnapshotKey {
    /// Reads the key that a file has, or makes one of it, readable by its owner alone. Of several that make it at once all
    /// have the same key.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn of_file(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |cause| KeyFileError::Io { path: path.to_path_buf(), cause };
        loop {
            match File::open(path) {
                Ok(file) => return read(path, &file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            make(path).map_err(failed)?;
        }
    }
}

fn read(path: &Path, file: &File) -> Result<SnapshotKey, KeyFileError> {
    let failed = |cause| KeyFileError::Io { path: path.to_path_buf(), cause };
    let about = file.metadata().map_err(failed)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Open { path: path.to_path_buf(), mode });
        }
    }
    let mut bytes = Vec::with_capacity(SnapshotKey::BYTES);
    file.take(SnapshotKey::BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let key = bytes
        .try_into()
        .map_err(|_| KeyFileError::Length { path: path.to_path_buf(), found: about.len() })?;
    Ok(SnapshotKey::new(key))
}

/// Makes the file, whole or not at all; where somebody was faster, theirs stays.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    let mut key = [0; SnapshotKey::BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let made = folder.join(format!(".snapshot-key-{:016x}", u64::from_le_bytes(name)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&made).and_then(|mut file| {
        file.write_all(&key)?;
        file.sync_all()
    });
    // A link is made of a whole file, and only where there is none.
    let linked = written.and_then(|()| fs::hard_link(&made, path));
    fs::remove_file(&made).ok();
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // So that what is signed next can be read after a loss of power.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_make_it_at_once_have_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("snapshot.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| SnapshotKey::of_file(&path).unwrap())).collect();
            made.into_iter().map(|made| made.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == SnapshotKey::of_file(&path).unwrap()));
        assert_ne!(keys[0], SnapshotKey::new([0; 32]));
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn what_is_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot.key");
        SnapshotKey::of_file(&path).unwrap();
        for bytes in [&[7_u8; 31][..], &[7; 33], b""] {
            fs::write(&path, bytes).unwrap();
            let refused = SnapshotKey::of_file(&path).unwrap_err();
            assert!(
                matches!(refused, KeyFileError::Length { found, .. } if found == bytes.len() as u64),
                "{refused}"
            );
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_none() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshot.key");
        SnapshotKey::of_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = SnapshotKey::of_file(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::Open { mode: 0o640, .. }), "{refused}");
    }
}
