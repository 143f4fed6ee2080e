//! The requests of a connection: those under way, and the ids that must not come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::CancellationToken;

use crate::recent::Recent;

/// The requests of a connection.
#[derive(Clone, Default)]
pub(super) struct Requests(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    active: HashMap<i64, Signals>,
    recent: Recent<i64>,
}

/// What the client may say of a request that is under way.
#[derive(Clone, Default)]
pub(super) struct Signals {
    /// It no longer wants an answer.
    pub(super) cancel: CancellationToken,
    /// It wants an answer now.
    pub(super) preempt: CancellationToken,
}

/// A request under way. When this goes its id is used up.
pub(super) struct Active {
    requests: Requests,
    pub(super) id: i64,
    pub(super) signals: Signals,
}

impl Requests {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request; `None` when its id was used before.
    pub(super) fn begin(&self, id: i64) -> Option<Active> {
        let mut state = self.state();
        if state.active.contains_key(&id) || state.recent.contains(&id) {
            return None;
        }
        let signals = Signals::default();
        state.active.insert(id, signals.clone());
        drop(state);
        Some(Active { requests: self.clone(), id, signals })
    }

    /// Returns the signals of a request under way.
    pub(super) fn signals(&self, id: i64) -> Option<Signals> {
        self.state().active.get(&id).cloned()
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let mut state = self.requests.state();
        state.active.remove(&self.id);
        state.recent.push(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROTOCOL 116.
    #[test]
    fn n116_ids_are_remembered_while_active_and_for_a_while_after() {
        let requests = Requests::default();
        let first = requests.begin(0).unwrap();
        assert!(requests.begin(0).is_none());
        drop(first);
        assert!(requests.begin(0).is_none());
        for id in 1..=4096 {
            drop(requests.begin(id).unwrap());
        }
        assert!(requests.begin(0).is_some(), "4096 others came after it");
        assert!(requests.begin(4096).is_none());
    }
}
