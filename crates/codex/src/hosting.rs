//! What a host serves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::{CodeModeSessionProvider, SessionId, SessionName};

use crate::service::{Client, Session, Settings, Unopened};

/// A provider, and how its sessions are kept.
pub struct Hosting {
    pub(crate) provider: Arc<dyn CodeModeSessionProvider>,
    /// Whose the sessions are that outlive this process; `None` when none does.
    owner: Option<u64>,
    /// The names that sessions of this process have.
    taken: Mutex<BTreeSet<SessionName>>,
}

/// The name of a session that is kept, which no other session of this process has meanwhile.
pub(crate) struct Kept {
    hosting: Arc<Hosting>,
    pub(crate) name: SessionName,
    /// The session that has the name already.
    pub(crate) found: Option<SessionId>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.hosting.taken().remove(&self.name);
    }
}

impl Hosting {
    /// Serves sessions that end with their connection.
    #[must_use]
    pub fn new(provider: Arc<dyn CodeModeSessionProvider>) -> Self {
        Self { provider, owner: None, taken: Mutex::default() }
    }

    /// Has the provider keep the sessions, and finds them again when the same client asks for them by the same id. Clients
    /// number their sessions from one, each for itself: `owner` tells them apart.
    #[must_use]
    pub fn keeping(mut self, owner: u64) -> Self {
        self.owner = Some(owner);
        self
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<SessionName>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session of a client's, which may be one that was kept.
    pub(crate) async fn open(
        self: &Arc<Self>,
        session_id: Option<&str>,
        client: Arc<dyn Client>,
        settings: &Settings,
    ) -> Result<Session, String> {
        // Of another host that is at work: they are its own, and passed over.
        let mut others = Vec::new();
        loop {
            let kept = match self.owner {
                Some(owner) => Some(self.name_of(owner, session_id).await?),
                None => None,
            };
            match Session::open(&self.provider, Arc::clone(&client), settings, kept).await {
                Ok(session) => return Ok(session),
                Err(Unopened::Elsewhere(kept)) => others.push(kept),
                Err(Unopened::Broken(kept, message)) => {
                    self.pass_over(kept);
                    return Err(message);
                }
                Err(Unopened::Failed(message)) => return Err(message),
            }
        }
    }

    /// Has a session stay where it is: that it cannot be brought back is told once, and then the client gets another.
    fn pass_over(&self, kept: Kept) {
        let name = kept.name.clone();
        drop(kept);
        self.taken().insert(name);
    }

    /// Returns the name of a session that a client opens: the one that was kept under the client's id for it. A client that
    /// has lost its host gives another id, or none. So, when there is none under that id, and exactly one session of the
    /// client's was left by a host that is gone, it is that one: the client goes on with it.
    async fn name_of(self: &Arc<Self>, owner: u64, session_id: Option<&str>) -> Result<Kept, String> {
        let prefix = format!("codex-{owner:016x}-");
        let listed = self.provider.list().await.map_err(failed)?;
        let mut drawn = [0; 8];
        getrandom::fill(&mut drawn).map_err(failed)?;
        let drawn = u64::from_le_bytes(drawn);
        let named = |number: u64| SessionName::new(&format!("{prefix}{number:016x}")).map_err(failed);
        let (asked, fresh) = (named(session_id.map_or(drawn, hash))?, named(drawn.wrapping_add(1))?);
        let mut taken = self.taken();
        let kept = listed.into_iter().filter_map(|id| Some((SessionName::of(&id)?, id)));
        let mut left: BTreeMap<_, _> =
            kept.filter(|(name, _)| name.as_str().starts_with(&prefix) && !taken.contains(name)).collect();
        let name = match left.keys().next() {
            Some(only) if left.len() == 1 => only.clone(),
            _ if taken.contains(&asked) => fresh,
            _ => asked,
        };
        let found = left.remove(&name);
        taken.insert(name.clone());
        drop(taken);
        Ok(Kept { hosting: Arc::clone(self), name, found })
    }
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("failed to {error}")
}

/// FNV-1a: a session is found again by it, and nothing is trusted to it.
fn hash(session_id: &str) -> u64 {
    session_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
