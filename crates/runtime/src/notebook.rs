//! What the cells of a persistent session leave each other, and whose turn it is.
//!
//! One cell runs at a time, in the order of admission: each begins with the variables that the one before left. Between
//! cells these are a snapshot, so an idle session holds no VM, and what a terminated cell did to them never happened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use carrel_contract::EarlierCell;
use carrel_engine::Snapshot;
use tokio::sync::watch;

use crate::earlier::Earlier;
use crate::number::CellNumber;

/// The variables of a persistent session, and the cells that are to have them.
#[derive(Debug)]
pub(crate) struct Notebook {
    /// In the order of admission. The first has its turn.
    queue: watch::Sender<VecDeque<CellNumber>>,
    variables: Mutex<Option<Arc<Snapshot>>>,
    /// The cells that left them, in a session whose cells are checked.
    earlier: Mutex<Earlier>,
}

impl Notebook {
    /// Begins with the variables that a cell left before the session was lost.
    pub(crate) fn new(variables: Option<Snapshot>, earlier: Earlier) -> Self {
        let variables = Mutex::new(variables.map(Arc::new));
        Self { queue: watch::Sender::default(), variables, earlier: Mutex::new(earlier) }
    }

    /// Puts a cell at the end of the queue.
    pub(crate) fn queue(self: &Arc<Self>, number: CellNumber) -> Turn {
        self.queue.send_modify(|queue| queue.push_back(number));
        Turn { notebook: Arc::clone(self), number }
    }
}

/// A cell's place in the queue. Dropping it lets the next cell have its turn.
#[derive(Debug)]
pub(crate) struct Turn {
    notebook: Arc<Notebook>,
    number: CellNumber,
}

impl Turn {
    /// Waits until it has come. Cancel safe.
    pub(crate) async fn come(&self) {
        let mut queue = self.notebook.queue.subscribe();
        // The sender is here, so this cannot fail.
        drop(queue.wait_for(|queue| queue.front() == Some(&self.number)).await);
    }

    /// Tells whether it has come.
    pub(crate) fn has_come(&self) -> bool {
        self.notebook.queue.borrow().front() == Some(&self.number)
    }

    /// Returns the variables that the cell before left; `None` for the first cell.
    pub(crate) fn variables(&self) -> Option<Arc<Snapshot>> {
        self.notebook.variables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves variables to the next cell.
    pub(crate) fn leave(&self, variables: Snapshot) {
        *self.notebook.variables.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(variables));
    }

    /// Returns the cells that left them.
    pub(crate) fn earlier(&self) -> Vec<EarlierCell> {
        self.notebook.earlier.lock().unwrap_or_else(PoisonError::into_inner).cells()
    }

    /// Says which cell left them last.
    pub(crate) fn left_by(&self, cell: EarlierCell) {
        self.notebook.earlier.lock().unwrap_or_else(PoisonError::into_inner).push(cell);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.notebook.queue.send_modify(|queue| queue.retain(|number| *number != self.number));
    }
}
