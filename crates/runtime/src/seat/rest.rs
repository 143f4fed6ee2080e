//! Whether a session is at rest: none of its cells has anything to do before something comes from outside.
//!
//! One lock decides between an event that comes for a cell and the sleep of its session: a cell that has something to do
//! is busy first, and a session in which one is busy does not sleep.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::shared::Core;

/// How many have something to do in a session.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    busy: usize,
    /// How often one came to be busy that was not.
    stirred: u64,
    /// The session is going to sleep: nobody comes to be busy any more.
    is_asleep: bool,
}

impl Rest {
    /// Returns how often something stirred in a session that is at rest.
    pub(crate) fn at_rest(&self) -> Option<u64> {
        let state = self.lock();
        (state.busy == 0).then_some(state.stirred)
    }

    /// Lets nobody come to be busy any more, if all are at rest and nothing has stirred since.
    pub(crate) fn fall_asleep(&self, stirred: u64) -> bool {
        let mut state = self.lock();
        state.is_asleep |= state.busy == 0 && state.stirred == stirred;
        state.is_asleep
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something is to be done in a session, which does not sleep for as long as this lives.
pub(crate) struct Busy(Arc<Core>);

impl Busy {
    /// For whoever begins in a session that is in use, or in which somebody is busy.
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        core.rest.lock().busy += 1;
        Self(Arc::clone(core))
    }

    /// For whoever was at rest; `None` when the session is going to sleep.
    pub(crate) fn stir(core: &Arc<Core>) -> Option<Self> {
        let mut state = core.rest.lock();
        if state.is_asleep {
            return None;
        }
        state.busy += 1;
        state.stirred += 1;
        Some(Self(Arc::clone(core)))
    }
}

impl Deref for Busy {
    type Target = Arc<Core>;

    fn deref(&self) -> &Arc<Core> {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let is_over = {
            let mut state = self.0.rest.lock();
            state.busy -= 1;
            state.busy == 0
        };
        if let (true, Some(rested)) = (is_over, &self.0.rested) {
            rested.notify_one();
        }
    }
}
