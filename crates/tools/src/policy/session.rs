//! What is remembered of one session: its counters, what a person allowed, and what they refused.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use carrel_contract::{CellId, SessionId, ToolName};

use super::approval::{Answer, ApprovalRequest};
use super::meter::Meter;

/// How many refused calls of one cell are remembered. A person will have ended the cell before.
const MAX_REFUSED: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Session {
    /// Known from its first call on.
    pub(super) id: Option<SessionId>,
    pub(super) meter: Meter,
    allowed: HashSet<ToolName>,
    cells: HashMap<CellId, Cell>,
    hasher: RandomState,
}

/// What is settled of a call without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Allowed,
    Refused,
}

#[derive(Debug, Default)]
struct Cell {
    allowed: HashSet<ToolName>,
    refused: HashSet<u64>,
}

impl Session {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter, ..Self::default() }
    }

    /// Returns what a person said before that holds for this call, too. What was refused stays refused, whatever was
    /// allowed since.
    pub(super) fn settled(&self, call: &ApprovalRequest) -> Option<Settled> {
        let cell = self.cells.get(&call.cell_id);
        if cell.is_some_and(|cell| cell.refused.contains(&self.fingerprint(call))) {
            return Some(Settled::Refused);
        }
        let allowed =
            self.allowed.contains(&call.tool) || cell.is_some_and(|cell| cell.allowed.contains(&call.tool));
        allowed.then_some(Settled::Allowed)
    }

    /// Keeps what a person said of a call, as far as it holds for others.
    pub(super) fn keep(&mut self, call: &ApprovalRequest, answer: &Answer) {
        let fingerprint = self.fingerprint(call);
        match answer {
            Answer::Allow => {}
            Answer::AllowForSession => {
                self.allowed.insert(call.tool.clone());
            }
            Answer::AllowForCell => {
                self.cells.entry(call.cell_id.clone()).or_default().allowed.insert(call.tool.clone());
            }
            Answer::Deny { .. } => {
                let refused = &mut self.cells.entry(call.cell_id.clone()).or_default().refused;
                if refused.len() < MAX_REFUSED {
                    refused.insert(fingerprint);
                }
            }
        }
    }

    fn fingerprint(&self, call: &ApprovalRequest) -> u64 {
        self.hasher.hash_one((&call.tool, &call.input))
    }

    /// Takes back what was allowed of a tool that is no longer what it was.
    pub(super) fn disallow(&mut self, tool: &ToolName) {
        self.allowed.remove(tool);
        for cell in self.cells.values_mut() {
            cell.allowed.remove(tool);
        }
    }

    /// Forgets a cell.
    pub(super) fn close(&mut self, cell: &CellId) {
        self.cells.remove(cell);
        self.meter.close(cell);
    }
}
