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

    /// Returns a name for a session that its client does not name. If exactly one session of the client's was left by a host
    /// that is gone, it is that one's: the client goes on with it.
    pub(crate) async fn next_name(&self) -> Option<SessionName> {
        let owner = self.owner?;
        let prefix = format!("codex-{owner:016x}-");
        let kept = self.provider.list().await.unwrap_or_default();
        let mut taken = self.taken.lock().await;
        let names = kept.iter().filter_map(SessionName::of);
        let left: BTreeSet<_> =
            names.filter(|name| name.as_str().starts_with(&prefix) && !taken.contains(name)).collect();
        let name = match left.len() {
            1 => left.into_iter().next()?,
            _ => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes).ok()?;
                SessionName::new(&format!("{prefix}{:016x}", u64::from_le_bytes(bytes))).ok()?
            }
        };
        taken.insert(name.clone());
        Some(name)
    }

    /// Returns the name under which a client's session is kept.
    pub(crate) fn name_of(&self, session_id: &str) -> Option<SessionName> {
        let owner = self.owner?;
        // FNV-1a: a name is found again by it, and nothing is trusted to it.
        let hash = session_id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        SessionName::new(&format!("codex-{owner:016x}-{hash:016x}")).ok()
    }
}
