//! Who may run: one lock decides between `execute` and `shutdown`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use carrel_contract::error::{ExecuteError, LimitReached, SessionClosed, ShuttingDown};
use carrel_contract::{CellId, SessionId, SessionState, TerminationReason};

use crate::control::CellControl;
use crate::number::CellNumber;
use crate::sync::{Mutex, MutexGuard, Notify};

/// The running cells of a session and whether more may come.
pub(crate) struct Admission {
    session_id: SessionId,
    running_limit: usize,
    state: Mutex<State>,
    /// Wakes those who wait for the last cell.
    emptied: Notify,
}

#[derive(Default)]
struct State {
    closing: bool,
    newest: CellNumber,
    running: BTreeMap<CellNumber, Arc<CellControl>>,
}

impl State {
    fn session(&self) -> SessionState {
        match (self.closing, self.running.is_empty()) {
            (false, _) => SessionState::Open,
            (true, false) => SessionState::ShuttingDown,
            (true, true) => SessionState::Closed,
        }
    }
}

impl Admission {
    pub(crate) fn new(session_id: SessionId, running_limit: usize) -> Self {
        Self { session_id, running_limit, state: Mutex::new(State::default()), emptied: Notify::new() }
    }

    /// Tells early, before anything costly is done, that a cell would not be admitted. It may still be refused.
    pub(crate) fn check(&self) -> Result<(), ExecuteError> {
        self.refusal(&self.lock()).map_or(Ok(()), Err)
    }

    /// Admits a cell, or says why not. `known` may find that it was admitted before, and `begin` begins it; both run under
    /// the lock, so that what they see and do is seen by whoever admits or ends a cell; they must not block.
    pub(crate) fn admit(
        &self,
        control: Arc<CellControl>,
        known: impl FnOnce() -> Result<Option<CellId>, ExecuteError>,
        begin: impl FnOnce(CellNumber, &CellId),
    ) -> Result<CellId, ExecuteError> {
        let mut state = self.lock();
        if let Some(cell_id) = known()? {
            return Ok(cell_id);
        }
        if let Some(refusal) = self.refusal(&state) {
            return Err(refusal);
        }
        let number = state.newest.next();
        let Ok(cell_id) = number.id() else {
            return Err(LimitReached::new("cells of a session", u64::MAX, Vec::new()).into());
        };
        state.newest = number;
        state.running.insert(number, control);
        begin(number, &cell_id);
        Ok(cell_id)
    }

    /// Does something that counts for the cells which are admitted after it, unless no more are. It runs under the lock and
    /// must not block. Returns the state in which that is, or is not, done.
    pub(crate) fn while_open(&self, change: impl FnOnce()) -> SessionState {
        let state = self.lock();
        let now = state.session();
        if now == SessionState::Open {
            change();
        }
        now
    }

    /// Lets a cell go. `last_words` runs under the lock, so that whoever sees them sees the place free, too, and
    /// whoever sees the last place free has seen them.
    pub(crate) fn leave(&self, number: CellNumber, last_words: impl FnOnce()) {
        let emptied = {
            let mut state = self.lock();
            state.running.remove(&number);
            last_words();
            state.running.is_empty()
        };
        if emptied {
            self.emptied.notify_waiters();
        }
    }

    /// Returns what ends a cell, while it runs.
    pub(crate) fn control_of(&self, cell_id: &CellId) -> Option<Arc<CellControl>> {
        let number = CellNumber::of(cell_id)?;
        self.lock().running.get(&number).cloned()
    }

    /// Returns how many cells run.
    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.lock().running.len()
    }

    /// Refuses every further cell and asks for the end of those that run.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.end_all(&TerminationReason::Shutdown);
    }

    /// Refuses every further cell and asks those that run to leave without an end.
    pub(crate) fn suspend(&self) {
        let running: Vec<_> = {
            let mut state = self.lock();
            state.closing = true;
            state.running.values().rev().cloned().collect()
        };
        for control in &running {
            control.suspend();
        }
    }

    /// Returns what ends those that run.
    pub(crate) fn controls(&self) -> Vec<Arc<CellControl>> {
        self.lock().running.values().cloned().collect()
    }

    /// Tells whether there are cells that run.
    pub(crate) fn has_running(&self) -> bool {
        !self.lock().running.is_empty()
    }

    /// Asks for the end of those that run.
    pub(crate) fn end_all(&self, reason: &TerminationReason) {
        // The newest first: of a persistent session, those that wait before the one that makes them wait.
        let running: Vec<_> = self.lock().running.values().rev().cloned().collect();
        for control in &running {
            control.terminate(reason.clone());
        }
    }

    /// Lets in a cell that was admitted before its session was lost.
    pub(crate) fn readmit(&self, number: CellNumber, control: Arc<CellControl>) {
        self.lock().running.insert(number, control);
    }

    /// Counts on from the cells that there were before the session was lost.
    pub(crate) fn count_from(&self, newest: CellNumber) {
        self.lock().newest = newest;
    }

    /// Waits until no cell runs. Cancel safe.
    pub(crate) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().running.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    pub(crate) fn state(&self) -> SessionState {
        self.lock().session()
    }

    fn refusal(&self, state: &State) -> Option<ExecuteError> {
        let session_id = || self.session_id.clone();
        if state.closing {
            return Some(if state.running.is_empty() {
                SessionClosed { session_id: session_id() }.into()
            } else {
                ShuttingDown { session_id: session_id() }.into()
            });
        }
        if state.running.len() < self.running_limit {
            return None;
        }
        let running = state.running.keys().filter_map(|number| number.id().ok()).collect();
        Some(LimitReached::new("running_cells", self.running_limit as u64, running).into())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
