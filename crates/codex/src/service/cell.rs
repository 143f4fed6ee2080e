//! What a session remembers of a cell that its client still knows of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carrel_contract::{CancellationToken, CellId, CodeModeSession, Read, Seq};
use tokio::time::Instant;

use super::outlet::Outlet;

/// A cell.
pub(crate) struct Cell {
    pub(crate) id: CellId,
    /// What the client calls it.
    pub(crate) name: String,
    /// What the client calls the request that it came of.
    pub(crate) execution_id: String,
    /// What notifications of it are sent under.
    pub(crate) call_id: String,
    pub(super) admitted_at: Instant,
    /// Fires when the client was told of it: nothing that it does may be heard of before.
    pub(super) announced: CancellationToken,
    calls: Mutex<u64>,
    phase: Mutex<Phase>,
}

#[derive(Debug, Default)]
struct Phase {
    /// Whether somebody waits for it: nobody else may meanwhile.
    is_observed: bool,
    is_terminating: bool,
    /// Requests that are on their way and concern it.
    tickets: usize,
    /// Whether the client was given its end.
    is_over: bool,
}

impl Cell {
    pub(super) fn new(id: CellId, call_id: String, execution_id: String) -> Self {
        Self {
            name: name_of(&id).to_owned(),
            id,
            execution_id,
            call_id,
            admitted_at: Instant::now(),
            announced: CancellationToken::new(),
            calls: Mutex::default(),
            phase: Mutex::default(),
        }
    }

    /// Says that the client was told of it.
    pub(crate) fn announce(&self) {
        self.announced.cancel();
    }

    /// Has a call leave in its place, which is counted only when it has left.
    pub(crate) fn in_sequence<E>(&self, leave: impl FnOnce(u64) -> Result<(), E>) -> Result<(), E> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        leave(*calls + 1)?;
        *calls += 1;
        Ok(())
    }

    /// Returns how many of its calls have left.
    pub(crate) fn calls(&self) -> u64 {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether the client was given its end.
    pub(super) fn is_over(&self) -> bool {
        self.phase().is_over
    }

    /// Closes it, now or when the last request that concerns it is gone.
    pub(super) fn close_when_unasked(&self, outlet: &Outlet) {
        let mut phase = self.phase();
        phase.is_over = true;
        let is_unasked = phase.tickets == 0;
        drop(phase);
        if is_unasked {
            outlet.close(self);
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ids of this project's providers end in a number, which is how the observed host names cells.
const PREFIX: &str = "cell-";

fn name_of(id: &CellId) -> &str {
    id.as_str().strip_prefix(PREFIX).unwrap_or(id.as_str())
}

/// Returns the id of a cell that the client calls so, if there can be one.
pub(super) fn id_of(name: &str) -> Option<CellId> {
    CellId::new(&format!("{PREFIX}{name}")).ok()
}

/// A request that concerns a cell. When its end was given and the last of these is gone, the cell is closed and forgotten.
pub(crate) struct Ticket {
    outlet: Arc<Outlet>,
    session: Arc<dyn CodeModeSession>,
    cell: Arc<Cell>,
    /// What others may not be meanwhile; gone when the answer is about to leave.
    role: Option<Role>,
    /// What its answer gives: how far, and whether that is the end.
    given: Option<(Seq, bool)>,
}

#[derive(Clone, Copy)]
enum Role {
    Observer,
    Terminator,
}

impl Ticket {
    /// Begins an observation, unless there is one.
    pub(super) fn observe(
        outlet: &Arc<Outlet>,
        session: &Arc<dyn CodeModeSession>,
        cell: &Arc<Cell>,
    ) -> Result<Self, String> {
        let mut phase = cell.phase();
        if phase.is_observed {
            return Err(format!("exec cell {} already has an active observer", cell.name));
        }
        phase.is_observed = true;
        phase.tickets += 1;
        Ok(Self::new(outlet, session, cell, Role::Observer))
    }

    /// Begins a termination, unless there is one.
    pub(super) fn terminate(
        outlet: &Arc<Outlet>,
        session: &Arc<dyn CodeModeSession>,
        cell: &Arc<Cell>,
    ) -> Result<Self, String> {
        let mut phase = cell.phase();
        if phase.is_terminating {
            return Err(format!("exec cell {} is already terminating", cell.name));
        }
        phase.is_terminating = true;
        phase.tickets += 1;
        Ok(Self::new(outlet, session, cell, Role::Terminator))
    }

    fn new(outlet: &Arc<Outlet>, session: &Arc<dyn CodeModeSession>, cell: &Arc<Cell>, role: Role) -> Self {
        let (outlet, session, cell) = (Arc::clone(outlet), Arc::clone(session), Arc::clone(cell));
        Self { outlet, session, cell, role: Some(role), given: None }
    }

    pub(super) fn gives(&mut self, cursor: Seq, is_end: bool) {
        self.given = Some((cursor, is_end));
    }

    pub(crate) fn cell(&self) -> &Arc<Cell> {
        &self.cell
    }

    /// Says that the answer is about to leave: what it gives is not given again, and the next request may come. What is
    /// returned is dropped when the answer has left, and nothing of a cell that has ended may leave after that.
    pub(crate) fn deliver(mut self) -> Self {
        if let Some((cursor, is_end)) = self.given.take() {
            self.session.note_read(Read::new(self.cell.id.clone(), cursor));
            self.cell.phase().is_over |= is_end;
            self.release();
        }
        self
    }

    fn release(&mut self) {
        let mut phase = self.cell.phase();
        match self.role.take() {
            Some(Role::Observer) => phase.is_observed = false,
            Some(Role::Terminator) => phase.is_terminating = false,
            None => {}
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.release();
        let mut phase = self.cell.phase();
        phase.tickets -= 1;
        let is_last = phase.is_over && phase.tickets == 0;
        drop(phase);
        if is_last {
            self.outlet.close(&self.cell);
            self.session.forget(&self.cell.id);
        }
    }
}
