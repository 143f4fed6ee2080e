//! Where tokens are kept: a file for each server, which only its owner can read.
//!
//! Not the system's keyring yet. The crates for it bring 32 others on Linux, with a D-Bus client and an executor of its
//! own, and a machine without a desktop has no keyring.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rmcp::transport::auth::{AuthError, CredentialRefreshGuard, CredentialStore, StoredCredentials};

use super::LoginError;
use crate::name::fnv1a;

/// A folder of logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFolder(PathBuf);

impl LoginFolder {
    /// Keeps logins in a folder, which is made when there is something to keep.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Returns the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Forgets what a login at `url` gave. Tells whether there was anything.
    ///
    /// # Errors
    /// [`LoginError::Store`].
    pub fn forget(&self, url: &str) -> Result<bool, LoginError> {
        match std::fs::remove_file(self.of(url).path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(LoginError::Store { folder: self.0.clone(), source }),
        }
    }

    /// Tells whether there is a login at `url`.
    #[must_use]
    pub fn has(&self, url: &str) -> bool {
        self.of(url).path.is_file()
    }

    pub(super) fn of(&self, url: &str) -> File {
        File { path: self.0.join(format!("{:016x}.json", fnv1a(url))), url: url.to_owned() }
    }
}

/// The login at one server.
pub(super) struct File {
    path: PathBuf,
    url: String,
}

impl File {
    fn read(&self) -> io::Result<Option<StoredCredentials>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // The text is a token's: no error repeats it.
        let kept: (String, StoredCredentials) =
            serde_json::from_str(&text).map_err(|_| io::Error::other("it is damaged: log in again"))?;
        // Two addresses may come to one name, and no token goes to another server.
        Ok(Some(kept.1).filter(|_| kept.0 == self.url))
    }

    /// Replaces the file at once, by one that was never readable to others.
    fn write(&self, credentials: &StoredCredentials) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut making = std::fs::DirBuilder::new();
        making.recursive(true);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut making, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        making.create(folder)?;
        let text =
            serde_json::to_string(&(&self.url, credentials)).map_err(|_| io::Error::other("no JSON"))?;
        let beside = self.path.with_extension(format!("{}.new", std::process::id()));
        std::fs::remove_file(&beside).ok();
        let written = options.open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&beside, &self.path)).inspect_err(|_| {
            std::fs::remove_file(&beside).ok();
        })
    }
}

fn failed(error: impl std::fmt::Display) -> AuthError {
    AuthError::CredentialStoreError(error.to_string())
}

// Small files of this machine's: what they take is not worth a thread.
#[async_trait]
impl CredentialStore for File {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        self.read().map_err(failed)
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        self.write(&credentials).map_err(failed)
    }

    async fn clear(&self) -> Result<(), AuthError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Two programs that refresh at once would each make the other's token worthless, where a server takes each once.
    async fn acquire_refresh_guard(&self) -> Result<Option<CredentialRefreshGuard>, AuthError> {
        let path = self.path.with_extension("lock");
        let locked = tokio::task::spawn_blocking(move || {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(false);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(path)?;
            file.lock().map(|()| file)
        });
        let file = locked.await.map_err(failed)?.map_err(failed)?;
        Ok(Some(CredentialRefreshGuard::new(file)))
    }
}
