//! What a host serves.

use std::collections::BTreeSet;
use std::sync::Arc;

use carrel_contract::{CodeModeSessionProvider, SessionName};
use tokio::sync::Mutex;

/// A provider, and how its sessions are kept.
pub struct Hosting {
    pub(crate) provider: Arc<dyn CodeModeSessionProvider>,
    /// Whose the sessions are that outlive this process; `None` when none does.
    owner: Option<u64>,
    /// The names that sessions of this process have.
    taken: Mutex<BTreeSet<SessionName>>,
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

    /// Returns the name of a session that a client opens: the one that was kept under the client's id for it. A client that
    /// has lost its host gives another id, or none. So, when there is none under that id, and exactly one session of the
    /// client's was left by a host that is gone, it is that one: the client goes on with it.
    pub(crate) async fn name_of(&self, session_id: Option<&str>) -> Option<SessionName> {
        let owner = self.owner?;
        let prefix = format!("codex-{owner:016x}-");
        let kept = self.provider.list().await.unwrap_or_default();
        let mut taken = self.taken.lock().await;
        let names = kept.iter().filter_map(SessionName::of);
        let left: BTreeSet<_> =
            names.filter(|name| name.as_str().starts_with(&prefix) && !taken.contains(name)).collect();
        let mut drawn = [0; 8];
        getrandom::fill(&mut drawn).ok()?;
        let number = session_id.map_or_else(|| u64::from_le_bytes(drawn), hash);
        let named = SessionName::new(&format!("{prefix}{number:016x}")).ok()?;
        let name = match (left.first(), left.len()) {
            (Some(only), 1) => only.clone(),
            _ if taken.contains(&named) => {
                SessionName::new(&format!("{prefix}{:016x}", u64::from_le_bytes(drawn))).ok()?
            }
            _ => named,
        };
        taken.insert(name.clone());
        Some(name)
    }
}

/// FNV-1a: a session is found again by it, and nothing is trusted to it.
fn hash(session_id: &str) -> u64 {
    session_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
