//! How a cell begins: with its source, a VM without a cell, and what it is to find there.

use std::sync::Arc;

use carrel_contract::{CellError, CellErrorKind};
use carrel_engine::{Start, StoredValues, Vm};

use super::actor::{Cell, End};
use super::written::Written;
use crate::notebook::Turn;
use crate::stored::Committed;

/// What was settled when a cell was admitted.
pub(crate) struct Opening {
    pub(crate) vm: Vm,
    pub(crate) source: String,
    pub(crate) seed: u64,
    pub(crate) ground: Ground,
}

/// What a cell stands on.
pub(crate) enum Ground {
    /// Nothing but the values that were committed when it was admitted.
    Fresh(Arc<Committed>),
    /// What the cell before it in its session left, when its turn has come.
    Persistent(Turn),
}

impl Cell {
    /// Begins the cell, when its turn has come. Keeps the turn for as long as the cell lives.
    pub(super) async fn open(&mut self, opening: Opening) -> Result<Vm, End> {
        let Opening { mut vm, source, seed, ground } = opening;
        let unchecked: Option<Arc<str>> = self.core.check.then(|| source.as_str().into());
        let (code, written) = Written::read(source);
        self.written = Some(written);
        let (persistent, stored) = match ground {
            Ground::Fresh(committed) => {
                if let Some(source) = unchecked {
                    self.check(source, Vec::new()).await?;
                }
                (false, committed)
            }
            Ground::Persistent(turn) => {
                tokio::select! {
                    biased;
                    reason = self.control.requested() => return Err(End::Terminated(reason)),
                    () = turn.come() => {}
                }
                if let Some(source) = unchecked {
                    self.check(Arc::clone(&source), turn.earlier()).await?;
                    self.declares = Some(source);
                }
                if let Some(variables) = turn.variables() {
                    vm = self.restore(vm, variables).await?;
                }
                self.turn = Some(turn);
                (true, self.core.stored.committed())
            }
        };
        let start = Start {
            source: code,
            tools: Arc::clone(&self.tools.guest),
            stored: stored as Arc<dyn StoredValues>,
            quota: self.core.stored.quota(),
            seed,
            now_us: self.now_us(),
            time_zone: self.core.time_zone.clone(),
            persistent,
        };
        vm.begin(start).map_err(|error| engine_fault(&error))?;
        Ok(vm)
    }
}

/// What becomes of a cell that cannot begin.
pub(super) fn engine_fault(error: &dyn std::error::Error) -> End {
    End::Failed(CellError::new(CellErrorKind::Trap, "EngineFault", error.to_string()))
}
