//! A session of a client's, for as long as the client holds the stream that opened it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tonic::Status;

use super::events::Events;
use super::host::Host;
use super::ids;
use super::observation::Observations;
use super::pending::Pending;
use super::subscription::Subscriptions;
use crate::service::Session;

/// A session, and what is under way between it and its client.
pub(super) struct Lease {
    pub(super) id: String,
    host: Weak<Host>,
    /// Gone when it has ended. It holds this, as its client, while it is there.
    session: Mutex<Option<Arc<Session>>>,
    pub(super) events: Events,
    pub(super) subscriptions: Subscriptions,
    pub(super) observations: Observations,
    pub(super) pending: Pending,
}

impl Lease {
    pub(super) fn new(host: &Arc<Host>, events: Events) -> Self {
        Self {
            id: ids::draw(),
            host: Arc::downgrade(host),
            session: Mutex::default(),
            events,
            subscriptions: Subscriptions::default(),
            observations: Observations::default(),
            pending: Pending::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, session: Session) {
        *self.held() = Some(Arc::new(session));
    }

    pub(super) fn session(&self) -> Result<Arc<Session>, Status> {
        self.held().clone().ok_or_else(|| Status::not_found("unknown code-mode session"))
    }

    /// Ends the session as its client asked: its cells, then its streams.
    pub(super) async fn close(&self) {
        if let Some(session) = self.leave() {
            session.shutdown().await;
        }
        self.silence();
    }

    /// Gives the session up when its client is gone: one that is kept stays as it is, for whoever comes back for it.
    pub(super) fn abandon(self: Arc<Self>) {
        let session = self.leave();
        if let (Some(session), Some(host), Ok(runtime)) =
            (session.filter(|session| !session.is_kept()), self.host.upgrade(), Handle::try_current())
        {
            let ended = async move {
                session.shutdown().await;
                self.silence();
            };
            host.tasks.spawn_on(ended, &runtime);
        } else {
            self.silence();
        }
    }

    /// From here on nobody finds it.
    fn leave(&self) -> Option<Arc<Session>> {
        if let Some(host) = self.host.upgrade() {
            host.forget(&self.id);
        }
        self.held().take()
    }

    fn silence(&self) {
        self.events.end();
        self.subscriptions.clear();
    }
}
