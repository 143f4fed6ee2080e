//! Which journaled sessions are here: each at most once, whoever makes, resumes, wakes, leaves or deletes it.
//!
//! A session has its place here from before its journal is read until all of it is written down and its lease is given back,
//! be it in memory or asleep. Whoever wants the place of another waits until that is gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::SessionId;
use tokio::sync::watch;

/// The journaled sessions of a provider that are here, come or go.
#[derive(Default)]
pub(crate) struct Present {
    /// Whether they are about to go.
    by_id: Mutex<HashMap<SessionId, watch::Sender<bool>>>,
}

/// A session has its place for as long as this lives, and nobody else brings it here or deletes it.
pub(crate) struct Presence {
    all: Arc<Present>,
    id: SessionId,
}

/// Somebody else has the place of a session.
pub(crate) struct Taken(watch::Receiver<bool>);

impl Present {
    /// Takes the place of a session.
    pub(crate) fn enter(self: &Arc<Self>, id: &SessionId) -> Result<Presence, Taken> {
        let mut by_id = self.lock();
        if let Some(goes) = by_id.get(id) {
            return Err(Taken(goes.subscribe()));
        }
        by_id.insert(id.clone(), watch::Sender::new(false));
        Ok(Presence { all: Arc::clone(self), id: id.clone() })
    }

    /// Tells those who wait for its place that a session can be found.
    pub(crate) fn found(&self, id: &SessionId) {
        if let Some(goes) = self.lock().get(id) {
            goes.send_modify(|_| ());
        }
    }

    /// Returns one of those that are about to go, if there are any.
    pub(crate) fn going(&self) -> Option<Taken> {
        self.lock().values().find(|goes| *goes.borrow()).map(|goes| Taken(goes.subscribe()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, watch::Sender<bool>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence {
    /// Says that the session is about to go.
    pub(crate) fn goes(&self) {
        if let Some(goes) = self.all.lock().get(&self.id) {
            goes.send_replace(true);
        }
    }

    /// Returns what tells when the session is gone.
    pub(crate) fn watched(&self) -> Option<Taken> {
        self.all.lock().get(&self.id).map(|goes| Taken(goes.subscribe()))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}

impl Taken {
    /// Waits until the session can be found, is about to go, or is gone. Cancel safe.
    pub(crate) async fn changed(mut self) {
        self.0.changed().await.ok();
    }

    /// Waits until the session is gone. Cancel safe.
    pub(crate) async fn gone(&self) {
        let mut goes = self.0.clone();
        while goes.changed().await.is_ok() {}
    }
}
