//! The requests of a session that look at a cell: those under way, and the ids that must not come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::CancellationToken;
use tonic::Status;

use crate::recent::Recent;

/// What the client calls a request that looks at a cell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Observation {
    Execution(String),
    Wait(String),
}

/// What the client may say of one.
#[derive(Clone, Default)]
pub(super) struct Signals {
    pub(super) cancel: CancellationToken,
    pub(super) preempt: CancellationToken,
    /// Fires when the request is gone.
    gone: CancellationToken,
}

/// Those of a session.
#[derive(Clone, Default)]
pub(super) struct Observations(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    active: HashMap<Observation, Signals>,
    recent: Recent<Observation>,
    /// Cancelled before they came.
    cancelled: Recent<Observation>,
}

impl Observations {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one.
    pub(super) fn begin(&self, observation: Observation) -> Result<Observing, Status> {
        let mut state = self.state();
        if state.cancelled.take(&observation) {
            return Err(Status::cancelled("code-mode wait was cancelled"));
        }
        if state.active.contains_key(&observation) || state.recent.contains(&observation) {
            let what = match &observation {
                Observation::Execution(id) => format!("execution ID {id}"),
                Observation::Wait(id) => format!("wait ID {id}"),
            };
            return Err(Status::already_exists(format!("code-mode {what} was used before")));
        }
        let signals = Signals::default();
        state.active.insert(observation.clone(), signals.clone());
        drop(state);
        Ok(Observing { all: self.clone(), observation, signals })
    }

    /// Has one end now, with what there is.
    pub(super) fn preempt(&self, observation: &Observation) {
        if let Some(signals) = self.state().active.get(observation) {
            signals.preempt.cancel();
        }
    }

    /// Ends one and returns when it is gone; one that has not come yet will be refused.
    pub(super) async fn cancel(&self, observation: Observation) {
        let signals = {
            let mut state = self.state();
            let signals = state.active.get(&observation).cloned();
            if signals.is_none() {
                state.cancelled.push(observation);
            }
            signals
        };
        if let Some(signals) = signals {
            signals.cancel.cancel();
            signals.gone.cancelled().await;
        }
    }
}

/// One that goes on. When this goes its id is used up.
pub(super) struct Observing {
    all: Observations,
    observation: Observation,
    pub(super) signals: Signals,
}

impl Drop for Observing {
    fn drop(&mut self) {
        let mut state = self.all.state();
        state.active.remove(&self.observation);
        state.recent.push(self.observation.clone());
        drop(state);
        self.signals.gone.cancel();
    }
}
