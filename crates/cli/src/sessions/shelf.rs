//! The store of kept sessions, and how a session is found in it by its name.
//!
//! The id of a session that has a name begins with it, so those of one name stand together in the store's list.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carrel_contract::{SessionId, SessionName};
use carrel_journal::error::{AcquireError, StoreError};
use carrel_journal::{Lease, Owner, Position, Sqlite, Store};
use carrel_runtime::Kept;

use super::{Settings, in_use, resume_fault};
use crate::data;
use crate::exit::Exit;
use crate::run::Fault;

/// How many sessions are listed at once.
const LISTED: usize = 1000;
/// How long the making of a session may take before another may begin to make one of the same name.
const MAKING: Duration = Duration::from_secs(30);

/// The store.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) store: Arc<Sqlite>,
    /// Its file.
    pub(crate) path: PathBuf,
}

/// A session that is kept.
pub(crate) struct Found {
    pub(crate) id: SessionId,
    /// What a person calls it.
    pub(crate) name: String,
    pub(crate) kept: Kept,
    pub(crate) settings: Settings,
}

impl Shelf {
    /// Opens the store; it is made when it is not there yet.
    pub(crate) fn open() -> Result<Self, Fault> {
        Self::at(&path()?)
    }

    /// Opens the store where there is one: looking for a session makes none.
    pub(crate) fn look() -> Result<Option<Self>, Fault> {
        let path = path()?;
        if path.exists() { Self::at(&path).map(Some) } else { Ok(None) }
    }

    fn at(path: &Path) -> Result<Self, Fault> {
        let store = Sqlite::open(path).map_err(|error| store_fault(&error))?;
        Ok(Self { store: Arc::new(store), path: path.to_owned() })
    }

    pub(crate) fn as_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as _
    }

    /// Returns the ids of all sessions.
    pub(crate) async fn all(&self) -> Result<Vec<SessionId>, Fault> {
        let mut sessions: Vec<SessionId> = Vec::new();
        loop {
            let more = self.store.list(sessions.last(), LISTED).await.map_err(|error| store_fault(&error))?;
            if more.is_empty() {
                return Ok(sessions);
            }
            sessions.extend(more);
        }
    }

    /// Returns the session that a person calls so: by its name, or by its id, where that is what they say. There may be
    /// several of one name, from other stores: then the id has to be said.
    pub(crate) async fn id_of(&self, called: &str) -> Result<Option<SessionId>, Fault> {
        let Ok(first) = SessionId::new(called) else { return Ok(None) };
        let head = self.store.head(&first).await.map_err(|error| store_fault(&error))?;
        if head.is_some_and(|head| head.last > Position::START) {
            return Ok(Some(first));
        }
        // `:` comes after it in every id of the name; what stands between has other names.
        let Ok(before) = SessionId::new(&format!("{called}:")) else { return Ok(None) };
        let listed = self.store.list(Some(&before), 2).await.map_err(|error| store_fault(&error))?;
        let named: Vec<_> = listed
            .into_iter()
            .filter(|id| SessionName::of(id).is_some_and(|name| name.as_str() == called))
            .collect();
        match named.as_slice() {
            [] => Ok(None),
            [id] => Ok(Some(id.clone())),
            [id, ..] => {
                let message =
                    format!("there are several sessions `{called}`: say which by its id, such as `{id}`");
                Err((Exit::Usage, message))
            }
        }
    }

    /// Finds the session that a person calls so, and reads what it has come to; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read, and when another process has it.
    pub(crate) async fn find(&self, called: &str) -> Result<Option<Found>, Fault> {
        let Some(id) = self.id_of(called).await? else { return Ok(None) };
        if let Some(lease) = self.holder(&id).await? {
            return Err(in_use(called, lease.owner.as_str()));
        }
        let kept = carrel_runtime::inspect(&self.as_store(), &id).await;
        let kept = kept.map_err(|error| resume_fault(called, &error))?;
        let settings = Settings::read(&id)?;
        Ok(Some(Found { id, name: called.to_owned(), kept, settings }))
    }

    /// Returns who has a session now; `None` when it can be had.
    pub(crate) async fn holder(&self, id: &SessionId) -> Result<Option<Lease>, Fault> {
        let lease = self.store.lease(id).await.map_err(|error| store_fault(&error))?;
        Ok(lease.filter(|lease| lease.until_us > now_us() && !lease.owner.is_gone()))
    }

    /// Sees that nobody else makes a session of a name while this one is made: by a lease on the name itself, which is the id
    /// of no session.
    pub(crate) async fn claim(&self, name: &SessionName) -> Result<Claim<'_>, Fault> {
        let id =
            SessionId::new(name.as_str()).map_err(|error| (Exit::Usage, format!("failed to {error}")))?;
        let (owner, now_us) = (Owner::of_this_process(), now_us());
        let mut claimed = self.store.acquire(&id, &owner, MAKING, now_us).await;
        if let Err(AcquireError::OwnedElsewhere { owner: other, until_us }) = &claimed
            && other.is_gone()
        {
            claimed = self.store.acquire(&id, &owner, MAKING, now_us.max(*until_us)).await;
        }
        match claimed {
            Ok(lease) => Ok(Claim { shelf: self, id, lease }),
            Err(AcquireError::OwnedElsewhere { owner, .. }) => Err(in_use(name.as_str(), owner.as_str())),
            Err(AcquireError::Store(error)) => Err(store_fault(&error)),
        }
    }
}

/// The right to make a session of a name. One that is not given up runs out.
pub(crate) struct Claim<'a> {
    shelf: &'a Shelf,
    id: SessionId,
    lease: Lease,
}

impl Claim<'_> {
    pub(crate) async fn give_up(self) {
        // It runs out by itself.
        self.shelf.store.release(&self.id, &self.lease).await.ok();
    }
}

/// The time, in microseconds since 1970.
pub(super) fn now_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

fn path() -> Result<PathBuf, Fault> {
    data::store(None).map_err(|error| (Exit::Usage, format!("failed to {error}")))
}

pub(super) fn store_fault(error: &StoreError) -> Fault {
    let exit = match error {
        StoreError::CannotOpen { .. } | StoreError::NotAStore { .. } | StoreError::NewerSchema { .. } => {
            Exit::Usage
        }
        _ => Exit::Internal,
    };
    (exit, format!("failed to {error}"))
}
