//! The type checker of a host, which is its clients': a host starts no process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use carrel_contract::{
    CellChecker, CheckRequest, CheckerUnavailable, CodeModeFuture, SessionId, TypeDiagnostic,
};

use super::delegate::RemoteDelegate;

/// Has cells checked by the client of their session, where that one can. To be given to the provider that is served, and to
/// [`Hosted::checked_by`](super::Hosted::checked_by).
#[derive(Default)]
pub struct ClientChecker {
    owners: Mutex<HashMap<SessionId, Weak<RemoteDelegate>>>,
}

impl ClientChecker {
    /// Notes who has a session now.
    pub(super) fn owned(&self, session_id: SessionId, delegate: &Arc<RemoteDelegate>) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() == owners.capacity() {
            owners.retain(|_, delegate| delegate.strong_count() > 0);
        }
        owners.insert(session_id, Arc::downgrade(delegate));
    }

    fn owner(&self, session_id: &SessionId) -> Option<Arc<RemoteDelegate>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(session_id)?.upgrade()
    }
}

impl CellChecker for ClientChecker {
    fn check(&self, request: CheckRequest) -> CodeModeFuture<'_, Vec<TypeDiagnostic>, CheckerUnavailable> {
        Box::pin(async move {
            let asked = request.cell.clone();
            let owner = asked.and_then(|(session_id, cell_id)| Some((self.owner(&session_id)?, cell_id)));
            match owner {
                Some((owner, cell_id)) => owner.check(cell_id, &request).await,
                None => {
                    let detail = "the client of its session is gone".to_owned();
                    Err(CheckerUnavailable::Absent { detail })
                }
            }
        })
    }
}
