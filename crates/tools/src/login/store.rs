//! Where logins are kept: a file for each server, which only its owner can read.
//!
//! The file has the login itself, or says that the system's keyring has it, where there is one that works and takes a
//! secret of that length. So a keyring is asked, and its owner bothered to unlock it, only for what it has.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rmcp::transport::auth::{AuthError, CredentialRefreshGuard, CredentialStore, StoredCredentials};
use serde::{Deserialize, Serialize};

use super::LoginError;
use super::keyring::Keyring;
use crate::name::fnv1a;

/// A folder of logins.
#[derive(Clone, Debug)]
pub struct LoginFolder {
    path: PathBuf,
    keyring: Option<Keyring>,
}

impl LoginFolder {
    /// Keeps logins in a folder, which is made when there is something to keep.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), keyring: None }
    }

    /// Keeps them in the system's keyring where that works, and in the folder which of them are there.
    #[must_use]
    pub fn with_keyring(self) -> Self {
        Self { keyring: Keyring::system(), ..self }
    }

    /// Returns the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets what a login at `url` gave, in the keyring and in the folder. Tells whether there was anything. Cancel safe:
    /// what was not forgotten can be forgotten again.
    ///
    /// # Errors
    /// [`LoginError::Store`], [`LoginError::Keyring`].
    pub async fn forget(&self, url: &str) -> Result<bool, LoginError> {
        let login = self.of(url);
        let in_keyring = login.forget_in_keyring().await.map_err(LoginError::Keyring)?;
        let in_folder = login.remove();
        let in_folder =
            in_folder.map_err(|source| LoginError::Store { folder: self.path.clone(), source })?;
        Ok(in_keyring || in_folder)
    }

    /// Tells whether there is a login at `url`.
    #[must_use]
    pub fn has(&self, url: &str) -> bool {
        self.of(url).path.is_file()
    }

    pub(super) fn of(&self, url: &str) -> File {
        let path = self.path.join(format!("{:016x}.json", fnv1a(url)));
        // The logins of two folders are those of two people, or of one who is two there.
        let folder = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let name = format!("{:016x}", fnv1a(&format!("{}\n{url}", folder.display())));
        File { path, name, url: url.to_owned(), keyring: self.keyring.clone() }
    }
}

/// Where a login is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In the system's keyring.
    Keyring,
    /// In a file that only its owner can read.
    File(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keyring => f.write_str("the system's keyring"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What a file says.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Here(Box<StoredCredentials>),
    There(There),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum There {
    Keyring,
}

/// The login at one server.
#[derive(Clone)]
pub(super) struct File {
    path: PathBuf,
    /// What the keyring knows it by: an address may hold a secret, and names in keyrings are none.
    name: String,
    url: String,
    keyring: Option<Keyring>,
}

impl File {
    fn read(&self) -> io::Result<Option<Kept>> {
        match std::fs::read(&self.path) {
            Ok(text) => self.decode(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn decode<T: for<'de> Deserialize<'de>>(&self, text: &[u8]) -> io::Result<Option<T>> {
        // The text is a token's: no error repeats it.
        let kept: (String, T) =
            serde_json::from_slice(text).map_err(|_| io::Error::other("it is damaged: log in again"))?;
        // Two addresses may come to one name, and no token goes to another server.
        Ok(Some(kept.1).filter(|_| kept.0 == self.url))
    }

    fn encode(&self, kept: &impl Serialize) -> io::Result<Vec<u8>> {
        serde_json::to_vec(&(&self.url, kept)).map_err(|_| io::Error::other("no JSON"))
    }

    /// Tells where the login is kept.
    pub(super) fn place(&self) -> Place {
        match self.read() {
            Ok(Some(Kept::There(There::Keyring))) => Place::Keyring,
            _ => Place::File(self.path.clone()),
        }
    }

    fn remove(&self) -> io::Result<bool> {
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets what the keyring has. One that does not work matters only where it has something.
    async fn forget_in_keyring(&self) -> Result<bool, String> {
        let removed = match &self.keyring {
            Some(keyring) => keyring.remove(&self.name).await,
            None => Err(TURNED_OFF.to_owned()),
        };
        if self.place() == Place::Keyring { removed } else { Ok(removed.unwrap_or(false)) }
    }

    /// Replaces the file at once, by one that was never readable to others.
    fn write(&self, kept: &Kept) -> io::Result<()> {
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
        let text = self.encode(kept)?;
        let beside = self.path.with_extension(format!("{}.new", std::process::id()));
        std::fs::remove_file(&beside).ok();
        let written = options.open(&beside).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&beside, &self.path)).inspect_err(|_| {
            std::fs::remove_file(&beside).ok();
        })
    }
}

/// Why a keyring is not asked.
const TURNED_OFF: &str = "it is not to be used (`CARREL_KEYRING=off`)";

fn failed(error: impl std::fmt::Display) -> AuthError {
    AuthError::CredentialStoreError(error.to_string())
}

// Small files of this machine's: what they take is not worth a thread.
#[async_trait]
impl CredentialStore for File {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        match self.read().map_err(failed)? {
            None => Ok(None),
            Some(Kept::Here(credentials)) => Ok(Some(*credentials)),
            Some(Kept::There(There::Keyring)) => {
                let secret = match &self.keyring {
                    Some(keyring) => keyring.read(&self.name).await,
                    None => Err(TURNED_OFF.to_owned()),
                };
                let secret = secret.map_err(|reason| failed(LoginError::Keyring(reason)))?;
                secret.map_or(Ok(None), |secret| self.decode(&secret).map_err(failed))
            }
        }
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        if let Some(keyring) = &self.keyring {
            match keyring.write(&self.name, self.encode(&credentials).map_err(failed)?).await {
                Ok(()) => return self.write(&Kept::There(There::Keyring)).map_err(failed),
                Err(reason) => {
                    tracing::info!(%reason, "the system's keyring does not take the login: a file does");
                }
            }
        }
        // The keyring may have an older login then. The file says where to look, and logging out looks in both.
        self.write(&Kept::Here(Box::new(credentials))).map_err(failed)
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.forget_in_keyring().await.map_err(|reason| failed(LoginError::Keyring(reason)))?;
        self.remove().map(|_| ()).map_err(failed)
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

#[cfg(test)]
mod tests;
