//! The system's keyring: the Secret Service on Linux, the Keychain on macOS, the Credential Manager on Windows.
//!
//! Its calls block, and one that waits for a person to unlock it may do so for ever. Each is made on a thread of its own,
//! which is left behind when it takes too long: tokio's own threads would be waited for when the program ends. There is one
//! such thread at a time, so a late write never comes after a later one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use crate::bound::bounded;
use crate::printable::printable;

/// What the logins are filed under.
const SERVICE: &str = "carrel";
/// The time that reading may take: nobody need be there to unlock the keyring.
const READ_TIME: Duration = Duration::from_secs(5);
/// The time that changing may take: somebody who logs in or out may be asked to unlock it.
const CHANGE_TIME: Duration = Duration::from_secs(30);

/// Where short secrets are kept under names. Its methods may block, and say in a few words why they failed.
pub(super) trait Vault: Send + Sync {
    /// Returns a secret; `None` where there is none.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    /// Keeps a secret in the place of the one before. Refuses one that is too long.
    fn write(&self, name: &str, secret: &[u8]) -> Result<(), String>;
    /// Forgets a secret, and tells whether there was one.
    fn remove(&self, name: &str) -> Result<bool, String>;
}

/// A vault that is asked without blocking, and not for long.
#[derive(Clone)]
pub(super) struct Keyring {
    vault: Arc<dyn Vault>,
    turn: Arc<Semaphore>,
}

impl Keyring {
    /// The system's, where this program knows it.
    pub(super) fn system() -> Option<Self> {
        // Elsewhere the library keeps secrets in memory, and says that they are kept.
        cfg!(any(target_os = "linux", target_os = "macos", windows)).then(|| Self::over(Arc::new(System)))
    }

    pub(super) fn over(vault: Arc<dyn Vault>) -> Self {
        Self { vault, turn: Arc::new(Semaphore::new(1)) }
    }

    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let name = name.to_owned();
        self.ask(READ_TIME, move |vault| vault.read(&name)).await
    }

    pub(super) async fn write(&self, name: &str, secret: Vec<u8>) -> Result<(), String> {
        let name = name.to_owned();
        self.ask(CHANGE_TIME, move |vault| vault.write(&name, &secret)).await
    }

    pub(super) async fn remove(&self, name: &str) -> Result<bool, String> {
        let name = name.to_owned();
        self.ask(CHANGE_TIME, move |vault| vault.remove(&name)).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        time: Duration,
        question: impl FnOnce(&dyn Vault) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let asked = async {
            let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|error| error.to_string())?;
            let vault = Arc::clone(&self.vault);
            let (answer, answered) = oneshot::channel();
            let thread = std::thread::Builder::new().name("keyring".to_owned());
            let started = thread.spawn(move || {
                let said = question(&*vault);
                drop(turn);
                answer.send(said).ok();
            });
            started.map_err(|error| error.to_string())?;
            answered.await.map_err(|_| "it broke off".to_owned())?
        };
        let late = |_| Err(format!("it did not answer within {} s; is it locked?", time.as_secs()));
        tokio::time::timeout(time, asked).await.unwrap_or_else(late)
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring")
    }
}

/// The system's keyring itself.
struct System;

impl System {
    fn entry(name: &str) -> Result<keyring::Entry, String> {
        keyring::Entry::new(SERVICE, name).map_err(|error| said(&error))
    }
}

/// Says what the library says. Its errors hold no secret when shown; their `Debug` may.
fn said(error: &keyring::Error) -> String {
    bounded(&printable(&error.to_string()).replace('\n', " "), 300)
}

impl Vault for System {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        match Self::entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(said(&error)),
        }
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), String> {
        Self::entry(name)?.set_secret(secret).map_err(|error| said(&error))
    }

    fn remove(&self, name: &str) -> Result<bool, String> {
        match Self::entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(keyring::Error::NoEntry) => Ok(false),
            Err(error) => Err(said(&error)),
        }
    }
}
