//! Files of others: read whole, written at once, and never when somebody else has written meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file before and after a change.
#[derive(Clone, Debug)]
pub(super) struct FileChange {
    pub(super) path: PathBuf,
    /// What it has to hold for the change to be made; `None` when it must not be there.
    pub(super) before: Option<String>,
    /// What it holds then; `None` when it is gone.
    pub(super) after: Option<String>,
    /// Whether only its owner may read it, if it is made.
    pub(super) is_private: bool,
}

impl FileChange {
    pub(super) fn is_needed(&self) -> bool {
        self.before != self.after
    }

    /// Tells whether the file is as the change expects it.
    pub(super) fn is_fresh(&self) -> io::Result<bool> {
        Ok(read(&self.path)? == self.before)
    }

    pub(super) fn make(&self) -> io::Result<()> {
        match &self.after {
            Some(text) => replace(&self.path, text, self.is_private),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// Reads a file; `None` when there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    crate::import::read(path)
}

/// Follows links to where a file is, or would be.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            // The folder may be a link, or not be there yet.
            let folder = path.parent().map(fs::canonicalize);
            Ok(match (folder, path.file_name()) {
                (Some(Ok(folder)), Some(name)) => folder.join(name),
                _ => path.to_path_buf(),
            })
        }
        resolved => resolved,
    }
}

/// Writes a file by putting a new one in its place, with the permissions and the owner of the old one.
fn replace(path: &Path, text: &str, is_private: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let old = match fs::metadata(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".carrel-{}", std::process::id()));
    let beside = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private || old.is_some() {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    let placed = options.open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if let Some(old) = &old {
            like(&file, old)?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    placed.inspect_err(|_| {
        fs::remove_file(&beside).ok();
    })
}

fn like(file: &File, old: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            // Only root can give files away; others own what they replace.
            std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid())).ok();
        }
    }
    file.set_permissions(old.permissions())
}
