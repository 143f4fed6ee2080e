//! The provider whose sessions other processes have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use carrel_contract::error::{
    CreateError, DeleteError, ForkError, HostLost, ListError, ResumeError, SessionClosed,
};
use carrel_contract::{
    CodeModeFuture, CodeModeSession, CodeModeSessionDelegate, CodeModeSessionProvider, Durability,
    ForkRequest, SessionId, SessionSpec, SessionState,
};
use carrel_wire::{Fork, FromFault, Reply, ToHost, encode};
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

use super::asked::Asked;
use super::connection::{ConnectError, Connection, Greeting, Owner, Pending};
use super::opening::Opening;
use super::session::Session;
use super::slot::DelegateSlot;
use crate::watch;

/// Where sessions find a host.
pub(crate) trait Home: Send + Sync {
    /// Returns a connection to a host, for a session that is made, or whose host was lost.
    fn connect(&self) -> BoxFuture<'_, Result<Arc<Owner>, HostLost>>;

    /// Returns all connections that there are.
    fn all(&self) -> Vec<Arc<Owner>>;
}

/// One connection, and no other when it is lost.
pub(crate) struct Fixed(pub(crate) Arc<Owner>);

impl Home for Fixed {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<Owner>, HostLost>> {
        Box::pin(async move {
            if self.0.connection.is_lost() {
                let detail = self.0.connection.why_lost().to_string();
                return Err(HostLost { session_id: None, detail });
            }
            Ok(Arc::clone(&self.0))
        })
    }

    fn all(&self) -> Vec<Arc<Owner>> {
        vec![Arc::clone(&self.0)]
    }
}

/// Makes sessions in hosts that it reaches by byte streams.
///
/// Its futures have to be polled inside a tokio runtime with its I/O and time drivers enabled.
pub struct RemoteProvider {
    home: Arc<dyn Home>,
    sessions: Mutex<BTreeMap<SessionId, Weak<Session>>>,
}

impl RemoteProvider {
    /// Connects to a host that runs already, on a byte stream. When the connection is lost, its sessions are.
    ///
    /// # Errors
    /// [`ConnectError`] when the host does not introduce itself within ten seconds, or speaks another version.
    pub async fn connect(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        token: Option<String>,
    ) -> Result<Self, ConnectError> {
        watch::over(tokio::runtime::Handle::current());
        let greeting = Greeting { token, ..Greeting::default() };
        let connection = Connection::open(reader, writer, &greeting).await?;
        Ok(Self::new(Arc::new(Fixed(Arc::new(Owner { connection, _with: None })))))
    }

    pub(crate) fn new(home: Arc<dyn Home>) -> Self {
        Self { home, sessions: Mutex::default() }
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<SessionId, Weak<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, session_id: &SessionId) -> Option<Arc<Session>> {
        self.sessions().get(session_id).and_then(Weak::upgrade)
    }

    fn remember(&self, session: Session) -> Arc<Session> {
        let session = Arc::new(session);
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.strong_count() > 0);
        sessions.insert(session.id().clone(), Arc::downgrade(&session));
        session
    }

    fn opening(&self, spec: SessionSpec, delegate: Arc<dyn CodeModeSessionDelegate>) -> Opening {
        Opening { spec, delegate: Arc::new(DelegateSlot::new(delegate)), home: Arc::clone(&self.home) }
    }
}

/// Makes a request that is of no session.
async fn ask<E: FromFault>(owner: &Owner, message: impl FnOnce(u64) -> ToHost) -> Result<Reply, E> {
    let connection = &owner.connection;
    let (waiting, reply) = oneshot::channel();
    let request = connection.request(Pending::Reply(waiting));
    let lost = || E::lost(HostLost { session_id: None, detail: connection.why_lost().to_string() });
    // Given up before it is answered, it is cancelled.
    let mut asked = Asked::new(connection, 0, request);
    connection.outbox.send(0, encode(&message(request))).await.map_err(|_| lost())?;
    let reply = reply.await.map_err(|_| lost())?.reply;
    asked.is_over();
    match reply {
        Reply::Failed(fault) => Err(E::from_fault(&fault).unwrap_or_else(|_| lost())),
        reply => Ok(reply),
    }
}

impl CodeModeSessionProvider for RemoteProvider {
    fn create(
        &self,
        spec: SessionSpec,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, CreateError> {
        Box::pin(async move {
            let owner = self.home.connect().await?;
            let session = Session::create::<CreateError>(self.opening(spec, delegate), &owner).await?;
            Ok(self.remember(session) as Arc<dyn CodeModeSession>)
        })
    }

    fn resume(
        &self,
        session_id: SessionId,
        delegate: Arc<dyn CodeModeSessionDelegate>,
    ) -> CodeModeFuture<'_, Arc<dyn CodeModeSession>, ResumeError> {
        Box::pin(async move {
            if let Some(session) = self.find(&session_id) {
                if session.state() == SessionState::Open {
                    session.inner.adopt(delegate);
                    return Ok(session as Arc<dyn CodeModeSession>);
                }
                if !session.inner.is_journaled() {
                    return Err(SessionClosed { session_id }.into());
                }
            }
            let owner = self.home.connect().await?;
            let mut spec = SessionSpec::default();
            spec.durability = Durability::Journaled;
            let opening = self.opening(spec, delegate);
            let session = Session::resume::<ResumeError>(opening, &owner, session_id).await?;
            Ok(self.remember(session) as Arc<dyn CodeModeSession>)
        })
    }

    fn fork(&self, request: ForkRequest) -> CodeModeFuture<'_, SessionId, ForkError> {
        Box::pin(async move {
            // A session in memory is known, and refused, where it is.
            let found = self.find(&request.session_id);
            let mut fork = Fork::from(request);
            if let Some(id) = found.as_ref().and_then(|session| session.inner.id_in_host()) {
                fork.session_id = id.into();
            }
            let there = found.map(|session| Arc::clone(session.inner.channel().owner()));
            let owner = match there.filter(|owner| !owner.connection.is_lost()) {
                Some(owner) => owner,
                None => self.home.connect().await?,
            };
            let lost = |detail: &str| HostLost { session_id: None, detail: detail.to_owned() };
            match ask::<ForkError>(&owner, |request| ToHost::Fork { request, fork }).await? {
                Reply::Opened { session_id } => {
                    Ok(SessionId::new(&session_id).map_err(|_| lost("it made a fork without an id"))?)
                }
                _ => Err(lost("it answered another question than it was asked").into()),
            }
        })
    }

    fn list(&self) -> CodeModeFuture<'_, Vec<SessionId>, ListError> {
        Box::pin(async move {
            let mut owners = self.home.all();
            if owners.is_empty() {
                owners.push(self.home.connect().await?);
            }
            let mut ids = BTreeSet::new();
            for owner in owners.iter().filter(|owner| !owner.connection.is_lost()) {
                if let Reply::Sessions(found) =
                    ask::<ListError>(owner, |request| ToHost::List { request }).await?
                {
                    ids.extend(found.iter().filter_map(|id| SessionId::new(id).ok()));
                }
            }
            // A session that lost its host is known there by another id.
            for (id, session) in &*self.sessions() {
                let Some(session) = session.upgrade() else { continue };
                if let Some(other) = session.inner.id_in_host().filter(|other| other != id) {
                    ids.remove(&other);
                    ids.insert(id.clone());
                }
            }
            Ok(ids.into_iter().collect())
        })
    }

    fn delete(&self, session_id: SessionId) -> CodeModeFuture<'_, (), DeleteError> {
        Box::pin(async move {
            let found = self.find(&session_id);
            let of_host = found.as_ref().and_then(|session| session.inner.id_in_host());
            let id = of_host.unwrap_or_else(|| session_id.clone()).to_string();
            let there = found.as_ref().map(|session| Arc::clone(session.inner.channel().owner()));
            let owner = match there.filter(|owner| !owner.connection.is_lost()) {
                Some(owner) => owner,
                None => self.home.connect().await?,
            };
            ask::<DeleteError>(&owner, |request| ToHost::Delete { request, session_id: id }).await?;
            self.sessions().remove(&session_id);
            if let Some(session) = found {
                session.inner.close();
            }
            Ok(())
        })
    }
}

impl fmt::Debug for RemoteProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteProvider").field("hosts", &self.home.all().len()).finish_non_exhaustive()
    }
}
