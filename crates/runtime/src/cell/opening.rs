//! How a cell begins: with its source, a VM without a cell, and what it is to find there.

use std::sync::Arc;

use carrel_contract::{CellError, CellErrorKind};
use carrel_engine::{Start, StoredValues, Vm};
use carrel_journal::Record;

use super::actor::{Cell, End};
use super::translate;
use super::written::Written;
use crate::journal::CellHistory;
use crate::notebook::Turn;
use crate::stored::Committed;

/// What was settled when a cell was admitted.
pub(crate) struct Opening {
    pub(crate) vm: Vm,
    pub(crate) source: String,
    pub(crate) seed: u64,
    pub(crate) ground: Ground,
    /// What is known of a cell whose session was lost.
    pub(crate) history: Option<Box<CellHistory>>,
}

/// What a cell stands on.
pub(crate) enum Ground {
    /// Nothing but the values that were committed when it was admitted.
    Fresh(Arc<Committed>),
    /// What the cell before it in its session left, when its turn has come.
    Persistent(Turn),
}

impl Cell {
    /// Begins the cell, when its turn has come, or brings it back. Keeps the turn for as long as the cell lives.
    pub(super) async fn open(&mut self, opening: Opening) -> Result<Vm, End> {
        let Opening { mut vm, source, seed, ground, history } = opening;
        let to_check: Option<Arc<str>> = self.core.check.then(|| source.as_str().into());
        let has_begun = history.as_ref().is_some_and(|history| history.begun_us.is_some());
        if !has_begun {
            self.remember();
        }
        let (code, mut written) = Written::read(source);
        let was_made_ready = !written.is(&code);
        let names = written.take_names();
        self.written = Some(written);
        let (persistent, stored) = match ground {
            Ground::Fresh(committed) => {
                if let Some(source) = to_check.filter(|_| !has_begun) {
                    self.check(source, Vec::new()).await?;
                }
                (false, committed)
            }
            Ground::Persistent(turn) => {
                if self.core.log.journal().is_some() && !turn.has_come() {
                    self.busy = None;
                }
                tokio::select! {
                    biased;
                    reason = self.control.requested() => return Err(self.asked(reason)),
                    () = turn.come() => {}
                }
                if !self.stirs() {
                    return Err(End::Parked);
                }
                if let Some(source) = to_check {
                    if !has_begun {
                        self.check(Arc::clone(&source), turn.earlier()).await?;
                    }
                    self.declares = Some(source);
                }
                self.turn = Some(turn);
                self.names = names;
                (true, self.core.stored.committed())
            }
        };
        let stored = stored as Arc<dyn StoredValues>;
        self.callbacks.ground = self.core.mark();
        let begun = match history {
            Some(history) => self.recall(*history),
            None => None,
        };
        if let Some(saved) = begun.as_ref().and_then(|begun| begun.saved) {
            return self.take_up(vm, saved, stored).await;
        }
        if let Some(variables) = self.turn.as_ref().and_then(Turn::variables) {
            vm = self.restore(vm, variables).await?;
        }
        let (code, now_us) = match begun {
            Some(begun) => {
                // Another build may have made something else of the source.
                let as_written = || self.written.as_ref().map_or(code, |written| written.source().to_owned());
                (begun.code.unwrap_or_else(as_written), begun.now_us)
            }
            None => {
                let now_us = self.now_us();
                let made_ready = was_made_ready.then(|| code.as_str().into());
                self.core.note(|| Record::CellBegun { cell: self.number.0, code: made_ready, now_us });
                (code, now_us)
            }
        };
        let start = Start {
            source: code,
            tools: Arc::clone(&self.tools.guest),
            stored,
            quota: self.core.stored.quota(),
            seed,
            now_us,
            time_zone: self.core.time_zone.clone(),
            dialect: translate::dialect(self.core.dialect),
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
